/** Sends some of what waits. Resolves to whether they arrived; never rejects. */
export type SendBatch<Item> = (batch: Item[]) => Promise<boolean>;

export interface QueueRules {
  /** Further ones are dropped. */
  readonly most: number;
  readonly batch: number;
  /** How long an item waits at most before it is sent. */
  readonly delayMs: number;
}

/**
 * What waits to be sent, in memory and bounded: while the receiver is slow or away, what does not fit is dropped, and nobody who
 * adds to it notices. One batch is under way at a time.
 */
export class SpanQueue<Item> {
  #waiting: Item[] = [];
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;

  /** @param lost is told how many items were dropped, and why */
  constructor(
    private readonly rules: QueueRules,
    private readonly send: SendBatch<Item>,
    private readonly lost: (count: number, why: 'queue_full' | 'export_failed') => void,
  ) {}

  get length(): number {
    return this.#waiting.length;
  }

  push(item: Item): void {
    if (this.#waiting.length >= this.rules.most) return this.lost(1, 'queue_full');
    this.#waiting.push(item);
    if (this.#sending !== null) return;
    if (this.#waiting.length >= this.rules.batch) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), this.rules.delayMs).unref();
  }

  /** Resolves when all that waits was sent, or was lost. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending ??= this.drain().finally(() => this.sent());
    return this.#sending;
  }

  /** Gives up what still waits. */
  abandon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#waiting.length > 0) this.lost(this.#waiting.length, 'export_failed');
    this.#waiting = [];
  }

  /** What came between the last look and now waits as usual. */
  private sent(): void {
    this.#sending = null;
    if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => void this.flush(), this.rules.delayMs).unref();
  }

  private async drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.rules.batch);
      if (!(await this.send(batch))) this.lost(batch.length, 'export_failed');
    }
  }
}
