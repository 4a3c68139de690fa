import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Tokens } from './behaviour';
import type { DialectName } from './dialect';
import { geminiModelOf, geminiStreams } from './gemini-dialect';

/**
 * How a call stands: `completed` in full, `refused` with an error status, `broken` by the provider, `aborted` by the
 * caller, or still `open`.
 */
export type Outcome = 'open' | 'completed' | 'refused' | 'broken' | 'aborted';

export const NO_TOKENS: Tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, reasoning: 0 };

/** One request as it arrived, and what became of it. */
export class ReceivedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in the order and the letter case of the wire. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  /** The parsed body; empty where it was no JSON object. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The id the answer carries, as `x-request-id` or `request-id`. */
  readonly requestId = `req_${randomUUID().replaceAll('-', '')}`;
  readonly startedAt = new Date();

  /** Pieces of a stream generated so far. They go out as the caller reads them. */
  pieces = 0;
  /** What the provider bills: the input once accepted, the output as far as it was generated. */
  charged: Tokens = NO_TOKENS;

  private state: Outcome = 'open';
  private readonly ended = new AbortController();
  private continuePaused: (() => void) | undefined;

  constructor(
    message: IncomingMessage,
    readonly body: Buffer,
    readonly dialect: DialectName,
    private readonly changed: () => void,
  ) {
    this.method = message.method ?? '';
    this.url = message.url ?? '';
    this.path = this.url.split('?', 1)[0] ?? '';
    this.headers = message.headers;
    this.rawHeaders = pairs(message.rawHeaders);
    this.json = parsed(body);
  }

  get model(): string {
    return typeof this.json['model'] === 'string' ? this.json['model'] : (geminiModelOf(this.path) ?? '');
  }

  get streams(): boolean {
    return this.json['stream'] === true || geminiStreams(this.path);
  }

  get outcome(): Outcome {
    return this.state;
  }

  /** True while the provider is silent on purpose, waiting for `resume()`. */
  get paused(): boolean {
    return this.continuePaused !== undefined;
  }

  /** Aborted as soon as the call has ended, in whatever way. */
  get signal(): AbortSignal {
    return this.ended.signal;
  }

  /** True when the text is anywhere in the request line, the headers or the body. */
  mentions(text: string): boolean {
    return (
      this.url.includes(text) || this.rawHeaders.flat().some((part) => part.includes(text)) || this.body.includes(text)
    );
  }

  /** Lets a paused answer go on. Throws when it is not paused, for then the test is not where it believes to be. */
  resume(): void {
    if (!this.continuePaused) throw new Error(`the answer to ${this.requestId} is ${this.state}, not paused`);
    this.continuePaused();
  }

  /** Waits for `resume()`; rejects when the call ends first. */
  async pause(): Promise<void> {
    this.signal.throwIfAborted();
    try {
      await new Promise<void>((resolve, reject) => {
        this.continuePaused = resolve;
        this.signal.addEventListener('abort', () => reject(new Error('ended while paused')), { once: true });
        this.changed();
      });
    } finally {
      this.continuePaused = undefined;
    }
  }

  charge(tokens: Tokens): void {
    this.charged = tokens;
    this.changed();
  }

  generate(outputTokens: number): void {
    this.pieces++;
    this.charge({ ...this.charged, output: this.charged.output + outputTokens });
  }

  /** Only the first call counts: a socket that closes after a complete answer changes nothing. */
  end(outcome: Exclude<Outcome, 'open'>): void {
    if (this.state !== 'open') return;
    this.state = outcome;
    this.ended.abort();
    this.changed();
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : []));
}

function parsed(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
