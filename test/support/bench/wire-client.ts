import { connect, type Socket } from 'node:net';

/** When the answer to a request began and ended, in ms after it was sent, and in how many pieces it came. */
export interface Timing {
  readonly firstMs: number;
  readonly endMs: number;
}

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');

/** The bytes of a POST, made once. */
export function requestBytes(origin: string, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries({ host: new URL(origin).host, 'content-type': 'application/json', ...headers });
  return Buffer.from(
    `POST /v1/chat/completions HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}` +
      `content-length: ${Buffer.byteLength(body)}${HEAD_END}${body}`,
  );
}

/**
 * One kept-alive connection, one request at a time. It reads no more of HTTP than where an answer ends, so that the load costs
 * less than what it is there to measure.
 */
export class WireClient {
  #socket: Socket | null = null;
  #sentMs = 0;
  #firstMs = -1;
  /** Bytes of the body still to come; -1 for a chunked one, null before the head is read. */
  #left: number | null = null;
  #tail: Buffer = Buffer.alloc(0);
  #done: ((timing: Timing) => void) | null = null;
  #failed: ((error: Error) => void) | null = null;
  /** Told of each piece of a body, if anybody wants to know. */
  onPiece: (() => void) | null = null;

  constructor(private readonly origin: string) {}

  send(request: Buffer): Promise<Timing> {
    this.#firstMs = -1;
    this.#left = null;
    this.#tail = Buffer.alloc(0);
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
      this.#sentMs = performance.now();
      (this.#socket ??= this.open()).write(request);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  private open(): Socket {
    const { hostname, port } = new URL(this.origin);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.on('data', (data) => this.take(data));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => {
      // One that was given up may close when the next is in use.
      if (this.#socket !== null && this.#socket !== socket) return;
      this.#socket = null;
      this.#failed?.(new Error(`${this.origin} hung up`));
    });
    return socket;
  }

  private take(data: Buffer): void {
    let body = data;
    if (this.#left === null) {
      this.#tail = Buffer.concat([this.#tail, data]);
      const end = this.#tail.indexOf(HEAD_END);
      if (end < 0) return;
      const head = this.#tail.toString('latin1', 0, end);
      if (!head.startsWith('HTTP/1.1 200')) return this.fail(new Error(this.#tail.toString('utf8')));
      const length = /\r\ncontent-length: *(\d+)/i.exec(head);
      this.#left = length ? Number(length[1]) : -1;
      body = this.#tail.subarray(end + HEAD_END.length);
      this.#tail = Buffer.alloc(0);
    }
    if (body.length > 0) {
      if (this.#firstMs < 0) this.#firstMs = performance.now() - this.#sentMs;
      this.onPiece?.();
    }
    if (this.#left < 0) {
      this.#tail = Buffer.concat([this.#tail, body]).subarray(-LAST_CHUNK.length);
      if (this.#tail.equals(LAST_CHUNK)) this.end();
    } else if ((this.#left -= body.length) <= 0) this.end();
  }

  private end(): void {
    const done = this.#done;
    this.#done = this.#failed = null;
    done?.({ firstMs: this.#firstMs, endMs: performance.now() - this.#sentMs });
  }

  private fail(error: Error): void {
    const failed = this.#failed;
    this.#done = this.#failed = null;
    this.close();
    failed?.(error);
  }
}
