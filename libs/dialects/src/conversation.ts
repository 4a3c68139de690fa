import type { Json } from './json';
import type { Seal } from './seal';

/** Bytes of an image or a document, or where they are. `mediaType` is null where an address does not tell. */
export type Source =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string };

/** Says that what comes before is to be kept in a cache; by the name the client knows it by. */
export interface CacheMark {
  readonly name: 'cache_control' | 'prompt_cache_breakpoint';
  readonly ttl: string | undefined;
}

export interface TextPart {
  readonly kind: 'text';
  readonly text: string;
  readonly mark?: CacheMark;
}

export interface ThinkingPart {
  readonly kind: 'thinking';
  readonly text: string;
  readonly seal: Seal | null;
}

/** A call of a tool that the caller runs. `args` is a text of JSON, or free text for a tool that is `custom`. */
export interface CallPart {
  readonly kind: 'call';
  readonly id: string;
  readonly name: string;
  readonly args: string;
}

export interface ImagePart {
  readonly kind: 'image';
  readonly mark?: CacheMark;
  readonly source: Source;
  readonly detail: string | null;
}

export interface DocumentPart {
  readonly kind: 'document';
  readonly mark?: CacheMark;
  readonly source: Source;
  readonly name: string | null;
}

export interface AudioPart {
  readonly kind: 'audio';
  readonly data: string;
  /** `wav`, `mp3`, … as OpenAI writes it. */
  readonly format: string;
}

/** What a tool gave for the call with that id. */
export interface ResultPart {
  readonly kind: 'result';
  readonly mark?: CacheMark;
  readonly id: string;
  readonly parts: readonly (TextPart | ImagePart | DocumentPart)[];
  readonly isError: boolean;
}

export interface RefusalPart {
  readonly kind: 'refusal';
  readonly text: string;
}

export type Part = TextPart | ThinkingPart | CallPart | ImagePart | DocumentPart | AudioPart | ResultPart | RefusalPart;

/** Results of tools are parts of the user's turn, as whoever runs the tools speaks for the user. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly parts: readonly Part[];
}

export interface Tool {
  readonly name: string;
  readonly mark?: CacheMark;
  readonly description: string | undefined;
  /** A JSON schema of its arguments. */
  readonly schema: Json;
  readonly strict: boolean;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export const EFFORTS = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof EFFORTS)[number];

/** How much thinking was asked for: off, an effort, tokens, or as the model sees fit. */
export type Thinking =
  | { readonly kind: 'off' }
  | { readonly kind: 'effort'; readonly effort: Effort }
  | { readonly kind: 'budget'; readonly tokens: number }
  | { readonly kind: 'adaptive' };

export type OutputFormat =
  | { readonly kind: 'json' }
  | {
      readonly kind: 'schema';
      readonly name: string;
      readonly description: string | undefined;
      readonly schema: Json;
      readonly strict: boolean;
    };

/** A request in no dialect. Null and undefined both mean that the caller left it to the provider. */
export interface Conversation {
  readonly turns: readonly Turn[];
  /** Of the request as a whole: the provider is to find the place by itself. */
  readonly mark?: CacheMark;
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | undefined;
  readonly parallelCalls: boolean | undefined;
  readonly stream: boolean;
  readonly outputLimit: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  readonly seed: number | undefined;
  readonly frequencyPenalty: number | undefined;
  readonly presencePenalty: number | undefined;
  /** How many alternatives of each token to tell; 0 for the token alone. */
  readonly logprobs: number | undefined;
  readonly stop: readonly string[];
  readonly format: OutputFormat | undefined;
  readonly thinking: Thinking | undefined;
  /** The caller does not want to be told what was thought. */
  readonly hidesThoughts?: boolean;
  readonly endUser: string | undefined;
}

/** What a translation lost, by the name a developer knows it by. */
export type Dropped = Set<string>;
