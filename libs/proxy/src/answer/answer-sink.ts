import type { ServerResponse } from 'node:http';
import type { CodedError } from '@app/platform';
import type { Wire } from '../wire';
import { cutEvent } from './error-events';

/** Where an answer goes: an HTTP response, later an agent's turn. */
export interface AnswerSink {
  /** The complete answer at once. */
  whole(status: number, headers: Record<string, string>, body: Buffer): void;
  /** The head of a streamed answer. */
  start(status: number, headers: Record<string, string>): void;
  /** Returns false when the reader is slower than the provider; `drained` is then called once it caught up. */
  write(chunk: Buffer, drained: () => void): boolean;
  end(): void;
  /** Ends a streamed answer so that the reader cannot take it for complete. */
  cut(error: CodedError): void;
}

/** How long a reader has to take the last words of an answer that was cut; one that reads nothing would never. */
const FAREWELL_MS = 1_000;

/**
 * How long a reader may take for what waits for it. The provider waits too then, and a place there is taken from everybody: without
 * an end, a few connections that nobody reads would keep a provider for good. Also a slow line takes a megabyte in this time.
 */
const STALLED_MS = 300_000;

export class HttpSink implements AnswerSink {
  constructor(
    private readonly response: ServerResponse,
    private readonly wire: Wire,
    private readonly requestId: string,
  ) {}

  whole(status: number, headers: Record<string, string>, body: Buffer): void {
    headers['content-length'] = String(body.length);
    this.response.writeHead(status, headers).end(body);
  }

  start(status: number, headers: Record<string, string>): void {
    headers['x-accel-buffering'] = 'no';
    this.response.writeHead(status, headers);
    this.response.flushHeaders();
  }

  write(chunk: Buffer, drained: () => void): boolean {
    if (chunk.length === 0 || this.response.write(chunk)) return true;
    const timer = setTimeout(() => this.response.destroy(), STALLED_MS).unref();
    const closed = (): void => clearTimeout(timer);
    this.response.once('close', closed).once('drain', () => {
      this.response.off('close', closed);
      clearTimeout(timer);
      drained();
    });
    return false;
  }

  end(): void {
    this.response.end();
  }

  /** An error event of the wire, then a torn connection: a clean end would make a cut answer look complete. */
  cut(error: CodedError): void {
    const event = cutEvent(this.wire, error, this.requestId);
    const timer = setTimeout(() => this.response.destroy(), FAREWELL_MS).unref();
    this.response.write(event, () => {
      clearTimeout(timer);
      this.response.destroy();
    });
  }
}
