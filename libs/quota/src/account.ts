import type { CodedError } from '@app/platform';
import { Lane } from './lane';
import { LeaseSet, type WindowLease } from './window-lease';

/** Headroom taken for one request. */
export interface Taken {
  readonly leases: LeaseSet;
  /** When; decides the windows. */
  readonly atMs: number;
}

/** A request that waits for headroom. */
export interface Waiter {
  readonly need: bigint;
  /** Until when it makes sense to wait for what other processes hold; monotonic ms. */
  readonly deadlineMs: number;
  readonly resolve: (taken: Taken) => void;
  readonly reject: (error: Error) => void;
}

/** What was found out by refusing: who asks for more than this within moments would be refused as well. */
export interface Refusal {
  readonly beyond: bigint;
  /** Monotonic ms. */
  readonly untilMs: number;
  /** When the first of the windows ends; then it is void. */
  readonly windowEndsAtMs: number;
  readonly error: (need: bigint) => CodedError;
}

/** One tenant's headroom in this process. */
export class Account {
  #current = new LeaseSet([]);
  /** Of windows that have ended and still have requests to settle. */
  #past: WindowLease[] = [];
  /** Changes of what the database has leased to us do not overlap. */
  readonly lane = new Lane();
  waiters: Waiter[] = [];
  pumping = false;
  refusal: Refusal | null = null;
  /** What the last refill asked for ahead, and when; monotonic ms. */
  ahead = 0n;
  refilledAtMs = -Infinity;
  usedAtMs = 0;
  /** The database may count more as leased to us than we know of. */
  uncertain = false;

  constructor(readonly tenantId: string) {}

  /** Takes an amount from every window at once, or from none. */
  take(amount: bigint, nowMs: number): LeaseSet | null {
    const current = this.#current;
    if (!current.covers(nowMs) || !current.take(amount)) return null;
    this.usedAtMs = nowMs;
    return current;
  }

  covers(nowMs: number): boolean {
    return this.#current.covers(nowMs);
  }

  get leases(): readonly WindowLease[] {
    return this.#current.leases;
  }

  get all(): readonly WindowLease[] {
    return [...this.#current.leases, ...this.#past];
  }

  /** Turns to the windows of another day or month; the old ones live on until their requests are settled. */
  enter(leases: readonly WindowLease[]): void {
    if (leases.length === this.leases.length && leases.every((lease, i) => lease === this.leases[i])) return;
    this.#past = this.all.filter((lease) => !leases.includes(lease));
    this.#current = new LeaseSet(leases);
  }

  /** Gives to those who wait, first come first served, passing over whom it does not suffice for. */
  serve(nowMs: number): void {
    this.waiters = this.waiters.filter((waiter) => {
      const leases = this.take(waiter.need, nowMs);
      if (leases) waiter.resolve({ leases, atMs: nowMs });
      return leases === null;
    });
  }

  /**
   * Lets go of what no hold has taken; from here on the database counts more than we do, until it is told.
   * @returns whether there is anything to tell it
   */
  dropFree(): boolean {
    for (const lease of this.all) {
      if (lease.free === 0n) continue;
      lease.total -= lease.free;
      lease.free = 0n;
      this.uncertain = true;
    }
    if (this.#past.some(({ total }) => total === 0n)) this.uncertain = true;
    return this.uncertain;
  }

  /** The database has been told. */
  settleUp(): void {
    this.uncertain = false;
    this.#past = this.#past.filter(({ total }) => total > 0n);
  }

  get hasPast(): boolean {
    return this.#past.length > 0;
  }

  /** Nothing leased, nobody waiting: it can be forgotten. */
  get idle(): boolean {
    return this.waiters.length === 0 && !this.uncertain && this.all.every(({ total }) => total === 0n);
  }
}
