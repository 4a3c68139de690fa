import type { Amounts } from './amounts';
import type { Hold } from './hold';
import { idIn } from './journal-line';
import type { Attribution } from './scopes/attribution';
import type { Call } from './scopes/scope';
import type { ChargedRow } from './settlements.queries';
import type { LeaseSet } from './window-lease';

/**
 * A settled request whose row is on its way to the database. Some thousand wait at a time, and the garbage collector copies all that they
 * hold on to: so that is a line, and what is counted, but not the hold and what its call has left.
 */
export class PendingRow implements ChargedRow {
  readonly atMs: number;
  readonly attribution: Attribution;
  /** Of the journal, which stays until the row is booked. */
  readonly segment: number;
  readonly #leases: LeaseSet;
  #isBooked = false;
  #waiting: (() => void)[] | null = null;

  /** @param line the journal's */
  constructor(
    { atMs, attribution, leases, segment }: Hold,
    readonly used: Amounts,
    readonly line: string,
  ) {
    this.atMs = atMs;
    this.attribution = attribution;
    this.segment = segment;
    this.#leases = leases;
  }

  get id(): string {
    return idIn(this.line);
  }

  get tenantId(): string {
    return this.attribution.tenantId;
  }

  get call(): Call {
    return this.attribution.call;
  }

  get costNanos(): bigint {
    return this.used.cost;
  }

  get windowIds(): readonly string[] {
    return this.#leases.windowIds;
  }

  /**
   * The row is in the database: the lease it was paid from is smaller by what it used.
   * @returns false when that was known; after a lost connection rows are booked again
   */
  booked(): boolean {
    if (this.#isBooked) return false;
    this.#isBooked = true;
    this.#leases.booked(this.used);
    for (const resolve of this.#waiting ?? []) resolve();
    return true;
  }

  /** Resolves when the row is in the database. */
  arrival(): Promise<void> {
    if (this.#isBooked) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }
}
