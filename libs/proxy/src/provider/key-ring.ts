import type { Credential } from './credential';

/** How long a key is set aside that its provider does not take, or that has reached a limit nobody gave a time for. */
const REFUSED_MS = 300_000;
const LIMITED_MS = 10_000;
/** A key is not lost to a provider that asks for a wait of days, nor tried over and over by one that asks for none. */
const LONGEST_MS = 3_600_000;
const SHORTEST_MS = 1_000;

/** The keys of a provider, used in turn. One that is set aside is passed over, unless all are. Times are monotonic ms. */
export class KeyRing {
  readonly #asideUntilMs: number[];
  #next = 0;

  constructor(private readonly keys: readonly Credential[]) {
    this.#asideUntilMs = keys.map(() => 0);
  }

  get size(): number {
    return this.keys.length;
  }

  /** Of a ring with one key that, of an empty one null. */
  get only(): Credential | null {
    return this.keys[0] ?? null;
  }

  /** The key for a call; of those set aside the one that comes back first. Null where there is none. */
  pick(nowMs: number): Credential | null {
    const { length } = this.keys;
    if (length <= 1) return this.only;
    const from = this.#next;
    this.#next = (from + 1) % length;
    let best = from;
    for (let i = 0; i < length; i++) {
      const at = (from + i) % length;
      if (this.until(at) <= nowMs) return this.keys[at] as Credential;
      if (this.until(at) < this.until(best)) best = at;
    }
    return this.keys[best] as Credential;
  }

  /**
   * A call with this key was answered with 401, 403 or 429.
   * @param retryAfterMs what the answer said, null for nothing
   */
  setAside(key: Credential | null, status: number, retryAfterMs: number | null, nowMs: number): void {
    const at = key === null ? -1 : this.keys.indexOf(key);
    if (at < 0) return;
    const ms = status === 429 ? (retryAfterMs ?? LIMITED_MS) : REFUSED_MS;
    this.#asideUntilMs[at] = nowMs + Math.min(Math.max(ms, SHORTEST_MS), LONGEST_MS);
  }

  /** Which of them it is, for people: "2 of 3". */
  placeOf(key: Credential | null): string {
    return `${key === null ? 0 : this.keys.indexOf(key) + 1} of ${this.keys.length}`;
  }

  /** Whether there is one that is not set aside. */
  hasSpare(nowMs: number): boolean {
    return this.asideAt(nowMs) < this.keys.length;
  }

  asideAt(nowMs: number): number {
    return this.#asideUntilMs.filter((until) => until > nowMs).length;
  }

  private until(at: number): number {
    return this.#asideUntilMs[at] as number;
  }
}
