import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CountJob } from './token-worker';

/** Beyond these a request is not counted, and its bytes are what bounds it. */
const MOST_WAITING = 16;
const PATIENCE_MS = 5_000;
/** After so long without work the thread and its tables are given back. */
const IDLE_MS = 60_000;

interface Waiting {
  readonly job: CountJob;
  readonly answer: (tokens: number | null) => void;
}

/** Counts the tokens of request bodies, one after the other, in a thread that is there only while it is needed. */
export class TokenCounter {
  readonly #waiting: Waiting[] = [];
  #worker: Worker | null = null;
  #current: Waiting | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly start: () => Worker = () => new Worker(join(__dirname, 'token-worker.js')),
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** An upper bound of the tokens of the text, or null where it could not be counted in time. */
  count(job: CountJob): Promise<number | null> {
    if (this.#waiting.length >= MOST_WAITING) return Promise.resolve(null);
    return new Promise((answer) => {
      this.#waiting.push({ job, answer });
      this.next();
    });
  }

  async close(): Promise<void> {
    for (const { answer } of this.#waiting.splice(0)) answer(null);
    await this.stop();
  }

  private next(): void {
    if (this.#current) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#current = this.#waiting.shift() ?? null;
    const overMs = this.#current ? this.patienceMs : IDLE_MS;
    this.#timer = setTimeout(() => void this.stop(), overMs).unref();
    if (this.#current) this.worker().postMessage(this.#current.job);
  }

  private worker(): Worker {
    if (this.#worker) return this.#worker;
    const worker = this.start();
    worker.unref();
    worker.on('message', (tokens: number) => this.#worker === worker && this.done(tokens));
    worker.on('error', () => this.#worker === worker && void this.stop());
    return (this.#worker = worker);
  }

  private done(tokens: number | null): void {
    const current = this.#current;
    this.#current = null;
    current?.answer(tokens);
    this.next();
  }

  /** Ends the thread, also in the middle of a text that takes too long. */
  private async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#current) this.done(null);
    await worker?.terminate();
  }
}
