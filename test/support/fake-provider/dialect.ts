import type { IncomingHttpHeaders } from 'node:http';
import type { Behaviour, ErrorAnswer } from './behaviour';
import type { Completion } from './completion';

export type DialectName = 'openai' | 'anthropic' | 'gemini';

/** One server-sent event before it is framed. */
export interface StreamEvent {
  readonly name?: string;
  /** An object is sent as JSON, a string as it stands. */
  readonly data: object | string;
  /** Output tokens this event carries; only pieces of the answer have any. */
  readonly tokens?: number;
}

/** An error in the provider's own words. */
export interface ErrorPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** How one provider writes requests, answers and errors down. */
export interface Dialect {
  readonly name: DialectName;
  readonly completionPath: string;
  readonly requestIdHeader: string;
  /** Headers of every answer that speak of the account, not of the request. */
  readonly accountHeaders: Readonly<Record<string, string>>;
  /** What the real provider would refuse about a request, undefined when it would serve it. */
  refusal(json: Readonly<Record<string, unknown>>, headers: IncomingHttpHeaders): ErrorAnswer | undefined;
  outputLimit(json: Readonly<Record<string, unknown>>): number | undefined;
  choices(json: Readonly<Record<string, unknown>>): number;
  events(
    completion: Completion,
    json: Readonly<Record<string, unknown>>,
    report: Behaviour['usage'],
  ): Iterable<StreamEvent>;
  whole(completion: Completion, report: Behaviour['usage'], json: Readonly<Record<string, unknown>>): object;
  error(answer: ErrorAnswer, requestId: string): ErrorPage;
  /** The event with which a stream gives up midway. */
  errorEvent(requestId: string): StreamEvent;
  models(ids: readonly string[]): object;
}
