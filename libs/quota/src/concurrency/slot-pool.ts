import { Lane } from '../lane';

/** A request that waits until another ends. */
export interface SlotWaiter {
  /** Monotonic ms. */
  readonly deadlineMs: number;
  /** `false`: nothing came free in time. */
  readonly resolve: (isAdmitted: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** What one process has of the requests that a tenant or token may have under way. In the database it counts with `total`. */
export class SlotPool {
  /** Changes of what the database has given us do not overlap. */
  readonly lane = new Lane();
  waiters: SlotWaiter[] = [];
  pumping = false;
  /** The limit as it was last asked for. */
  limit = 0;
  /** The database may count more as ours than we do. */
  uncertain = false;
  /** When another process was last heard to have requests that wait; monotonic ms. */
  wantedAtMs = -Infinity;
  #inUse = 0;
  #free = 0;
  #usedAtMs = 0;
  #wake: (() => void) | null = null;

  constructor(readonly key: string) {}

  get total(): number {
    return this.#inUse + this.#free;
  }

  get hasFree(): boolean {
    return this.#free > 0;
  }

  get isEmpty(): boolean {
    return this.total === 0 && this.waiters.length === 0 && !this.pumping && !this.uncertain;
  }

  /** Admits one request, if there is a slot at hand and the limit was not lowered below what is under way. */
  take(nowMs: number): boolean {
    if (this.#free === 0 || this.#inUse >= this.limit) return false;
    this.#free--;
    this.#inUse++;
    this.#usedAtMs = nowMs;
    return true;
  }

  release(): void {
    this.#inUse--;
    this.#free++;
    this.#wake?.();
  }

  granted(slots: number): void {
    this.#free += slots;
  }

  /** What is not in use is for others. */
  dropFree(): void {
    if (this.#free > 0) this.uncertain = true;
    this.#free = 0;
  }

  /** First come, first served. */
  serve(nowMs: number): void {
    while (this.waiters.length > 0 && this.take(nowMs)) this.waiters.shift()?.resolve(true);
  }

  /** Ends the wait of one that waits here, if it does. */
  leave(waiter: SlotWaiter, why: Error): void {
    const at = this.waiters.indexOf(waiter);
    if (at < 0) return;
    this.waiters.splice(at, 1);
    if (this.waiters.length === 0) this.#wake?.();
    waiter.reject(why);
  }

  /** Until something is released here, nobody waits any more, or so long. */
  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  isIdle(nowMs: number, sinceMs: number): boolean {
    return this.#free > 0 && nowMs - this.#usedAtMs > sinceMs;
  }
}

/** Refuses who has waited long enough. */
export function refuseLate(pool: SlotPool, nowMs: number): void {
  const late = pool.waiters.filter(({ deadlineMs }) => deadlineMs <= nowMs);
  pool.waiters = pool.waiters.filter(({ deadlineMs }) => deadlineMs > nowMs);
  for (const { resolve } of late) resolve(false);
}
