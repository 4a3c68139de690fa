import { type Amounts, inMetric } from './amounts';
import type { Metric } from './windows';

/**
 * This process's headroom in one budget window. `total` is what is leased to us and not yet settled in the database; `free`
 * is the part of it that no hold has taken, `leaving` what no hold takes any more because it is about to be given back. The
 * database never counts less than `total` as leased.
 *
 * Moves: reserve takes from `free`; settle and release give the rest back to it; a grant raises both; giving back lowers
 * both; a row that has arrived in the database lowers `total`.
 */
export class WindowLease {
  free = 0n;
  leaving = 0n;
  total = 0n;

  constructor(
    readonly windowId: bigint,
    readonly metric: Metric,
    readonly startsAtMs: number,
    readonly endsAtMs: number,
  ) {}

  /** What holds have, and what ended ones have used and is not booked yet. */
  get inUse(): bigint {
    return this.total - this.free - this.leaving;
  }
}

/** The windows a request counts in, all at once or not at all. No windows cover no instant. */
export class LeaseSet {
  /** In decimal. */
  readonly windowIds: readonly string[];
  /** The ids as the journal writes them. */
  readonly ids: string;
  readonly #fromMs: number;
  readonly #untilMs: number;

  constructor(readonly leases: readonly WindowLease[]) {
    this.windowIds = leases.map(({ windowId }) => String(windowId));
    this.ids = this.windowIds.join(',');
    this.#fromMs = Math.max(...leases.map(({ startsAtMs }) => startsAtMs));
    this.#untilMs = leases.length === 0 ? -Infinity : Math.min(...leases.map(({ endsAtMs }) => endsAtMs));
  }

  /** Whether these are the windows of that instant. */
  covers(atMs: number): boolean {
    return atMs >= this.#fromMs && atMs < this.#untilMs;
  }

  has(amount: Amounts): boolean {
    for (const lease of this.leases) if (lease.free < inMetric(amount, lease.metric)) return false;
    return true;
  }

  take(amount: Amounts): boolean {
    if (!this.has(amount)) return false;
    for (const lease of this.leases) lease.free -= inMetric(amount, lease.metric);
    return true;
  }

  /** What is left of a hold when its request has cost so much. */
  putBack(held: Amounts, used: Amounts): void {
    for (const lease of this.leases) lease.free += inMetric(held, lease.metric) - inMetric(used, lease.metric);
  }

  /** A row of this much has arrived in the database. */
  booked(used: Amounts): void {
    for (const lease of this.leases) lease.total -= inMetric(used, lease.metric);
  }
}

/** Of calls that nothing limits, and of those that use nothing. */
export const NO_LEASES = new LeaseSet([]);
