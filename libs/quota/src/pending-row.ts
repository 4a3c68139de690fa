import type { Amounts } from './amounts';
import type { Hold } from './hold';
import type { Entry } from './ledger-sink';
import type { Attribution } from './scopes/attribution';
import type { Call } from './scopes/scope';
import type { ChargedRow } from './settlements.queries';

/** A settled hold whose row is on its way to the database. */
export class PendingRow implements ChargedRow {
  #booked = false;
  #waiting: (() => void)[] | null = null;

  constructor(
    readonly hold: Hold,
    readonly used: Amounts,
    readonly row: Entry,
    readonly text: string,
  ) {}

  get id(): string {
    return this.hold.id;
  }

  get at(): Date {
    return this.hold.at;
  }

  get tenantId(): string {
    return this.hold.tenantId;
  }

  get attribution(): Attribution {
    return this.hold.attribution;
  }

  get call(): Call {
    return this.hold.call;
  }

  get costNanos(): bigint {
    return this.used.cost;
  }

  get windowIds(): readonly bigint[] {
    return this.hold.leases.windowIds;
  }

  /**
   * The row is in the database: the lease it was paid from is smaller by what it used.
   * @returns false when that was known; after a lost connection rows are booked again
   */
  booked(): boolean {
    if (this.#booked) return false;
    this.#booked = true;
    this.hold.leases.booked(this.used);
    for (const resolve of this.#waiting ?? []) resolve();
    return true;
  }

  /** Resolves when the row is in the database. */
  arrival(): Promise<void> {
    if (this.#booked) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }
}
