/** How often and how long a call is tried. */
export interface RetryRules {
  /** Attempts after the first. */
  readonly retries: number;
  /** No attempt begins later than this after the call. */
  readonly retryMs: number;
}

/** The next attempt: which candidate, and after which wait. */
export interface Attempt {
  readonly index: number;
  readonly waitMs: number;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;

/** An attempt that failed and may be made again: nothing was sent, or the answer said that it was not worked on. */
export interface Failure {
  /** What the provider asked for; null for nothing. */
  readonly retryAfterMs: number | null;
  /** Whether the same candidate can be asked again at all. */
  readonly mayRepeat: boolean;
  /** Whether it can be asked again at once: with another key, say. */
  readonly atOnce: boolean;
}

/** The candidate has no words for the request. */
export const NOT_POSSIBLE: Failure = { retryAfterMs: null, mayRepeat: false, atOnce: true };
export const NOT_SENT: Failure = { retryAfterMs: null, mayRepeat: true, atOnce: false };

/**
 * Which candidate of a call is asked next when one has failed: the one that can be asked soonest; of those, the one tried least; of
 * those, the first. A candidate that failed is left alone for as long as it asked for, at least for a pause that doubles each time
 * and is never the same for two calls. All times are monotonic ms.
 */
export class Attempts {
  readonly #tries: number[];
  readonly #readyAtMs: number[];
  #made = 0;

  constructor(
    candidates: number,
    private readonly rules: RetryRules,
    private readonly startedMs: number,
    private readonly random: () => number = Math.random,
  ) {
    this.#tries = Array.from({ length: candidates }, () => 0);
    this.#readyAtMs = Array.from({ length: candidates }, () => 0);
  }

  failed(index: number, { retryAfterMs, mayRepeat, atOnce }: Failure, nowMs: number): void {
    // Another key of the same provider is no burden to it.
    if (!atOnce) this.#made++;
    const tries = ++(this.#tries as [number])[index as 0];
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS) * (0.5 + this.random() / 2);
    const waitMs = atOnce ? 0 : Math.max(retryAfterMs ?? 0, pauseMs);
    this.#readyAtMs[index] = mayRepeat ? nowMs + waitMs : Infinity;
  }

  /** @param waitMsOf how long until a candidate can be asked for reasons of its own; null when the call is to end as it is */
  next(nowMs: number, waitMsOf: (index: number) => number): Attempt | null {
    if (this.#made > this.rules.retries) return null;
    let best = 0;
    let bestMs = Infinity;
    for (const [index, readyAtMs] of this.#readyAtMs.entries()) {
      const atMs = Math.max(readyAtMs, nowMs + waitMsOf(index));
      const isBetter = atMs === bestMs ? this.triesOf(index) < this.triesOf(best) : atMs < bestMs;
      if (isBetter) [best, bestMs] = [index, atMs];
    }
    return bestMs - this.startedMs > this.rules.retryMs ? null : { index: best, waitMs: bestMs - nowMs };
  }

  private triesOf(index: number): number {
    return this.#tries[index] as number;
  }
}
