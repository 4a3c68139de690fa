import { sealOrigin } from '@app/dialects';
import type { Wire } from '../wire';

/** A thought that its provider takes back only with every letter of its text as it was written. */
export interface SignedThought {
  readonly texts: readonly string[];
  readonly signature: string;
}

/** One in an answer, and the member that has its signature. */
export interface ToldThought extends SignedThought {
  readonly key: 'signature' | 'encrypted_content';
}

/** What stands in the place of a signature: itself, or a seal where the thought is told in other words. */
export type SealSignature = (thought: SignedThought, told: readonly string[]) => string;

type Json = Readonly<Record<string, unknown>>;

/**
 * The signed thought that an object of an answer is; null where it is none. Anthropic's signature covers the text of a block. What
 * OpenAI and Google encrypt holds the thought itself, and the summary beside it may come back in any words: nobody looks at it.
 */
export function toldThought(object: Json, wire: Wire): ToldThought | null {
  const key = object['type'] === 'thinking' ? 'signature' : object['type'] === 'reasoning' ? 'encrypted_content' : null;
  const signature = key && object[key];
  if (wire === 'embeddings' || key === null || typeof signature !== 'string') return null;
  const from = sealOrigin(signature, wire);
  // Servers of chat completions that tell such blocks have them from Anthropic's API.
  if (from !== 'messages' && !(from === 'chat' && key === 'signature')) return null;
  return { key, texts: textsOf(object), signature };
}

/** The texts of a block of thinking, or of an item of reasoning, in order. */
export function textsOf({ thinking, summary }: Json): string[] {
  const parts = Array.isArray(summary) ? (summary as unknown[]) : [{ text: thinking }];
  return parts.map((part) => {
    const text = (part as Json | null)?.['text'];
    return typeof text === 'string' ? text : '';
  });
}

/** Whether a thought was told in other words than it was written in. */
export const isMasked = ({ texts }: SignedThought, told: readonly string[]): boolean =>
  texts.some((text, i) => text !== told[i]);
