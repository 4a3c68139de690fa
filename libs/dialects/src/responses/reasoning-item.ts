import type { ThinkingPart } from '../conversation';
import { records, text, type Json } from '../json';
import { unpack, type Seal } from '../seal';

const BETWEEN = '\n\n';

/** OpenAI wants an item of reasoning back under its own id, so the id is a part of the seal. */
export const sealOfItem = (item: Json): Seal | null => {
  const data = text(item['encrypted_content']);
  return data ? { from: 'responses', data: `${text(item['id']) ?? ''}:${data}` } : null;
};

/** @param seal one that came from the responses API */
export function itemOfSeal(seal: Seal, thought: string): Json {
  const colon = seal.data.indexOf(':');
  const id = seal.data.slice(0, colon);
  return {
    type: 'reasoning',
    ...(id && { id }),
    summary: thought === '' ? [] : [{ type: 'summary_text', text: thought }],
    encrypted_content: seal.data.slice(colon + 1),
  };
}

/** A reasoning item that a client sends back: OpenAI's own, or one that was made for another provider's thought. */
export function readReasoning(item: Json): ThinkingPart {
  const packed = unpack(text(item['encrypted_content']), 'responses');
  const seal = packed?.from === 'responses' ? sealOfItem(item) : packed;
  return { kind: 'thinking', text: thoughtOf(item), seal };
}

export function thoughtOf(item: Json): string {
  const summary = records(item['summary']).map((part) => text(part['text']) ?? '');
  const content = records(item['content']).map((part) => text(part['text']) ?? '');
  return (summary.length > 0 ? summary : content).join(BETWEEN);
}
