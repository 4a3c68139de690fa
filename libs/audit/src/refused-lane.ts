import type { Draft } from './entry';

/** So many may come at once and each get a record of its own. */
const BURST = 60;
/** Later ones get their own at this rate. Bounds what a flood can write to about 50 MB a day. */
const REFILL_MS = 1_000;

/** Refused calls of one kind of caller that get a record each, as far as they come slowly enough. */
export class RefusedLane {
  #waiting: readonly Draft[] = [];
  #allowance = BURST;
  #refilledAtMs = Date.now();

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Whether there was room for it; what cannot be written now waits for later and is bounded too. */
  add(make: () => Draft): boolean {
    this.refill();
    if (this.#allowance === 0 || this.#waiting.length >= BURST) return false;
    this.#allowance--;
    this.#waiting = [...this.#waiting, make()];
    return true;
  }

  /** All that wait; they are the caller's now. */
  take(): readonly Draft[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  /** Has what was taken wait again, before what came since. */
  putBack(taken: readonly Draft[]): void {
    this.#waiting = [...taken, ...this.#waiting];
  }

  private refill(): void {
    const refill = Math.floor((Date.now() - this.#refilledAtMs) / REFILL_MS);
    if (refill === 0) return;
    this.#allowance = Math.min(BURST, this.#allowance + refill);
    this.#refilledAtMs = Date.now();
  }
}
