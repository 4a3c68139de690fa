import type { CallPart, RefusalPart, TextPart, ThinkingPart } from './conversation';

/** Token counts of one answer, disjoint but for `reasoning`, which is a part of `output`. */
export interface Usage {
  /** What no cache served. */
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly output: number;
  readonly reasoning: number;
}

export const NO_USAGE: Usage = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0, reasoning: 0 };

/**
 * Why an answer ended. `refusal` is one that was withheld or broken off by a filter; one in which the model itself says that it
 * will not, which has a part of its own, came to its `end`. `pause` is a turn that the caller is to send back for the provider to go on.
 */
export type Stop = 'end' | 'limit' | 'calls' | 'sequence' | 'refusal' | 'context' | 'pause';

/** A token and its alternatives, as both of OpenAI's APIs write them. */
export type Logprobs = readonly unknown[];

export type ReplyPart = (TextPart & { readonly logprobs?: Logprobs }) | ThinkingPart | CallPart | RefusalPart;

/** A whole answer in no dialect. */
export interface Reply {
  /** The provider's own id; empty where it has none. */
  readonly id: string;
  readonly parts: readonly ReplyPart[];
  readonly stop: Stop;
  readonly stopSequence: string | null;
  readonly usage: Usage | null;
}

/** What has to be remembered of a request to write its answer. */
export interface Recall {
  /** The model as the client called it. */
  readonly model: string;
  /** Whether a chat client asked for the usage at the end of its stream. */
  readonly usageAsked: boolean;
  /** Tools that take free text: they reach providers as functions with the one argument `input`. */
  readonly customTools: ReadonlySet<string>;
  /** Names of tools within a namespace, by the one name that the provider knows. */
  readonly namespaced: ReadonlyMap<string, { readonly namespace: string; readonly name: string }>;
  /** Names of tools as the client knows them, by those that the provider got instead. */
  readonly clientNames?: ReadonlyMap<string, string>;
  /** What an answer of the responses API repeats of its request. */
  readonly echo: Readonly<Record<string, unknown>>;
  /** Stands in where the provider gives an answer no id. */
  readonly fallbackId: string;
  readonly createdSeconds: number;
}
