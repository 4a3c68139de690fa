export const MINUTE_MS = 60_000;

/** When the calendar minute of an instant began; ms since the epoch. */
export const minuteOf = (atMs: number): number => Math.floor(atMs / MINUTE_MS) * MINUTE_MS;

const FIRST = 8;
/** Near a limit, refills follow each other fast because there is little to be had. */
const MOST = 4_096;
/** Refills closer together than this were too small. */
const BUSY_MS = 1_000;

/** What one process has of one calendar minute, for one tenant or token. */
export class RequestMinute {
  /** How many wait for a refill, which they share. */
  waiting = 0;
  refill: Promise<void> | null = null;
  /** May be let through without asking. */
  #left = 0;
  /** Taken by all processes when the database was last asked, and the limit then. */
  #taken = 0;
  #limit = 0;
  #fullAt = 0;
  #ahead = FIRST;
  #refilledAtMs = -Infinity;

  constructor(
    readonly key: string,
    readonly startsAtMs: number,
  ) {}

  /** Lets one request through, if there is one at hand. What was taken under a higher limit is not. */
  take(limit: number): boolean {
    if (limit < this.#limit) this.#left = 0;
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  granted(granted: number, taken: number, limit: number): void {
    this.#left += granted;
    this.#taken = taken;
    this.#limit = limit;
    if (granted === 0) this.#fullAt = limit;
  }

  /** Whether asking again is in vain: the minute had none left below this limit. */
  isFull(limit: number): boolean {
    return this.#fullAt >= limit;
  }

  /** How many have been let through, as far as this process knows; what others have at hand counts as used. */
  get used(): number {
    return this.#taken - this.#left;
  }

  /** How much to ask for ahead: twice as much each time while refills follow each other fast. */
  ahead(nowMs: number): number {
    this.#ahead = nowMs - this.#refilledAtMs < BUSY_MS ? Math.min(this.#ahead * 2, MOST) : FIRST;
    this.#refilledAtMs = nowMs;
    return this.#ahead;
  }
}
