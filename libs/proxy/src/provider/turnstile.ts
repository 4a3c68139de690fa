import { FairQueue } from './fair-queue';

/** A call that waits for its turn. */
export interface Waiter {
  readonly tenantId: string;
  /** It is its turn, and it is inside; or it has waited too long, and waits no more. */
  turn(isInside: boolean): void;
}

export interface TurnstileRules {
  /** Calls inside at a time. */
  readonly limit: number;
  readonly patienceMs: number;
}

/** So that memory stays bounded; beyond this somebody is turned away at once, the last of whoever has most waiting. */
const MOST_WAITING = 1_000;

/** Lets a limited number of calls to a provider at a time; the others wait, and go in turns of their tenants. */
export class Turnstile {
  readonly #queue = new FairQueue<Waiter>();
  readonly #timers = new Map<Waiter, NodeJS.Timeout>();
  #inside = 0;

  constructor(public rules: TurnstileRules) {}

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Lets a call in, or has it wait: then it is told later. Turned away it is told at once. */
  enter(waiter: Waiter): 'inside' | 'waiting' | 'turned away' {
    // Nobody overtakes those who wait, who may be more than there is room for since the limit was lowered.
    if (this.#inside < this.rules.limit && this.#queue.length === 0) {
      this.#inside++;
      return 'inside';
    }
    let outdone: Waiter | undefined;
    if (this.#queue.length >= MOST_WAITING) {
      outdone = this.#queue.makeRoom(waiter.tenantId);
      if (outdone === undefined) return 'turned away';
      clearTimeout(this.#timers.get(outdone));
      this.#timers.delete(outdone);
    }
    this.#queue.push(waiter.tenantId, waiter);
    this.#timers.set(waiter, setTimeout(turnAway, this.rules.patienceMs, this, waiter));
    outdone?.turn(false);
    return 'waiting';
  }

  /** A call that was inside has ended. */
  leave(): void {
    this.#inside--;
    this.admit();
  }

  /** Takes other rules; those who wait keep their places and their patience. */
  follow(rules: TurnstileRules): void {
    this.rules = rules;
    this.admit();
  }

  /** A call does not wait any longer; false if it did not. */
  forget(waiter: Waiter): boolean {
    clearTimeout(this.#timers.get(waiter));
    this.#timers.delete(waiter);
    return this.#queue.remove(waiter.tenantId, waiter);
  }

  private admit(): void {
    while (this.#inside < this.rules.limit) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      clearTimeout(this.#timers.get(next));
      this.#timers.delete(next);
      this.#inside++;
      next.turn(true);
    }
  }
}

function turnAway(turnstile: Turnstile, waiter: Waiter): void {
  if (turnstile.forget(waiter)) waiter.turn(false);
}
