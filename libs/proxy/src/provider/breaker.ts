export interface BreakerRules {
  /** Failures in a row that open it; 0 for never. */
  readonly failures: number;
  /** How long it then stays open. */
  readonly openMs: number;
}

export type BreakerState = 'closed' | 'open' | 'half_open';

/**
 * Spares a provider that fails, and those who would wait for it. After so many failures in a row it is open, and nobody asks;
 * when its time is over it is half open: one call at a time tries, and what becomes of it decides. Times are monotonic ms.
 */
export class Breaker {
  #failures = 0;
  /** Until when nobody asks; 0 while closed. */
  #untilMs = 0;
  #probing = false;

  constructor(public rules: BreakerRules) {}

  get closed(): boolean {
    return this.#untilMs === 0;
  }

  state(nowMs: number): BreakerState {
    if (this.closed) return 'closed';
    return nowMs < this.#untilMs ? 'open' : 'half_open';
  }

  /** How long until somebody may ask, 0 for now; while a probe is out, nobody knows better than after another pause. */
  waitMs(nowMs: number): number {
    if (this.closed) return 0;
    return this.#probing ? this.rules.openMs : Math.max(0, this.#untilMs - nowMs);
  }

  /** Whether a call may go now. What became of it has to be told: `succeeded`, `failed`, or else `abandoned`. */
  enter(nowMs: number): boolean {
    if (this.closed) return true;
    if (this.#probing || nowMs < this.#untilMs) return false;
    this.#probing = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#untilMs = 0;
    this.#probing = false;
  }

  /** Calls that began before it opened, and fail later, do not keep it open for longer. */
  failed(nowMs: number): void {
    this.#failures++;
    if (this.rules.failures === 0) return;
    if (this.closed ? this.#failures < this.rules.failures : nowMs < this.#untilMs) return;
    this.#untilMs = nowMs + this.rules.openMs;
    this.#probing = false;
  }

  /** A call ended that told nothing of the provider; if it was the probe, the next one tries. */
  abandoned(): void {
    this.#probing = false;
  }
}
