import type { CodedError } from '@app/platform';
import type { AnswerSink } from './answer-sink';

/** `open`: not over yet, or left by the client. An error told as the last event of a stream is an end too: the call knows. */
export type RecordedEnding = 'open' | 'ended' | 'cut';

/**
 * Passes an answer on as it comes and gathers what the client gets, so that it can be kept once the call is over. Of an answer
 * that is larger than `maxBytes` nothing is gathered, and the rest is only passed on.
 */
export class RecordingSink implements AnswerSink {
  /** 0 as long as nothing was answered. */
  status = 0;
  /** As they were handed over; how the body is framed is added behind this. */
  headers: Readonly<Record<string, string>> = {};
  isStream = false;
  ending: RecordedEnding = 'open';
  /** Of the body that was passed on, gathered or not. */
  bytes = 0;
  #parts: Buffer[] | null = [];

  constructor(
    private readonly sink: AnswerSink,
    private readonly maxBytes: number,
  ) {}

  /** All of the body so far; null if it is too large. */
  get body(): Buffer | null {
    const parts = this.#parts;
    if (parts === null || parts.length === 1) return parts && (parts[0] as Buffer);
    const body = Buffer.concat(parts, this.bytes);
    this.#parts = [body];
    return body;
  }

  whole(status: number, headers: Record<string, string>, body: Buffer): void {
    this.begin(status, headers, false);
    this.gather(body);
    this.ending = 'ended';
    this.over();
    this.sink.whole(status, headers, body);
  }

  start(status: number, headers: Record<string, string>): void {
    this.begin(status, headers, true);
    this.sink.start(status, headers);
  }

  write(chunk: Buffer, drained: () => void): boolean {
    this.gather(chunk);
    return this.sink.write(chunk, drained);
  }

  end(): void {
    this.ending = 'ended';
    this.over();
    this.sink.end();
  }

  cut(error: CodedError): void {
    this.ending = 'cut';
    this.over();
    this.sink.cut(error);
  }

  /** All is gathered, and the last of it not yet passed on. */
  protected over(): void {
    // For those that want to know.
  }

  /** The sink behind this adds to the headers it is given. */
  private begin(status: number, headers: Record<string, string>, isStream: boolean): void {
    this.status = status;
    this.headers = { ...headers };
    this.isStream = isStream;
  }

  private gather(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes > this.maxBytes) this.#parts = null;
    else if (chunk.length > 0) this.#parts?.push(chunk);
  }
}
