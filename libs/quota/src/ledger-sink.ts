import type { Tx } from '@app/platform';
import type { Amounts } from './amounts';
import type { Attribution } from './scopes/attribution';
import type { Owner } from './scopes/scope';
import type { Window } from './windows';

/**
 * What the ledger row of one request says beyond its attribution, and beyond what its hold knows: id, time and cost. What is in it is
 * between who settles and the sink.
 */
export type Entry = object;

/** The entry that would do if nothing more were learnt. */
export interface Draft {
  /** As a JSON object. */
  toText(): string;
  readonly attribution: Attribution;
  /** To whose it may turn out to be attributed instead; the same but for the model and what goes with it. */
  readonly others?: readonly Attribution[];
}

/** Settled requests of this process on their way to the ledger, in one piece. */
export interface SettledLines {
  /**
   * For each, as the journal has it, with its end: `S`, id, time, number of the attribution, ids of windows joined by commas, cost, tokens,
   * and what `LedgerSink.textOf` made of its entry, with a blank between each. UTF-8.
   */
  readonly lines: Buffer;
  readonly rows: number;
  /** Those that the lines name by number. */
  readonly attributions: Iterable<Attribution>;
  /** When holds were made, in ms since the epoch: the first and the last of those that have something in common, so each day has one. */
  readonly sums: readonly { readonly atMs: number; readonly lastMs: number }[];
}

/** One request of a process that has died, on its way to the ledger. */
export interface SettledRow {
  /** 32 hex digits of a UUID version 7. */
  readonly id: string;
  /** When its hold was made, in ms since the epoch. */
  readonly atMs: number;
  readonly tenantId: string;
  readonly costNanos: bigint;
  readonly attribution: Attribution;
  /** Parsed, what a journal kept of its entry, or what `LedgerSink.unconfirmed` gave. */
  readonly row: unknown;
}

/** What only this row has to say, as plain JSON, and how many tokens of all classes it counts. */
export interface Unconfirmed {
  readonly row: unknown;
  readonly tokens: number;
}

/** What the end users of a tenant have used in a window. */
export interface UsedByUsers {
  readonly users: ReadonlyMap<string, Amounts>;
  /** All that was booked up to then is counted, and whatever is booked from now on is booked later. */
  readonly countedTo: Date;
}

/**
 * The ledger, as seen from here. Quota and billing are siblings, so the lib above both hands the one to the other with
 * `settlements.sink(...)`.
 */
export interface LedgerSink {
  /** An entry as a JSON object, such as can be booked: whatever is wrong with it is said in it. Of a hold that is about to end. */
  textOf(entry: Entry): string;

  /**
   * Inserts rows that are not there yet, by time and id, and returns the ids it inserted, `'all'` where that is what it did: only those are
   * counted against windows and leases. Called inside the transaction that counts them.
   * @param rows of this process as lines; of others one by one, and checked
   */
  book(tx: Tx, rows: SettledLines | readonly SettledRow[]): Promise<readonly string[] | 'all'>;

  /** What is booked of a hold that may have reached a provider and whose usage nobody knows: its worst case, marked. */
  unconfirmed(draft: unknown): Unconfirmed;

  /** Waits for whoever is booking, and keeps others from it until the transaction ends. */
  pauseBooking(tx: Tx): Promise<void>;

  /** When the oldest month begins that is in the ledger: nothing before is corrected. `null` if there is none. */
  beginning(tx: Tx): Promise<Date | null>;

  /** In which costs were counted at that time; `null` before there were prices. */
  currency(at: Date): string | null;

  /**
   * What the ledger has of each owner's calls that were made in the window, in their order. It is read once for all end users of a
   * tenant, and once for all tenants.
   */
  used(tx: Tx, owners: readonly Owner[], window: Window): Promise<readonly Amounts[]>;

  /**
   * The same of every end user of a tenant who has used anything. Pauses booking, once it has read what is old.
   * @param after only what was booked later is looked at; `null` for everything
   */
  usedByUsers(tx: Tx, tenantId: string, window: Window, after: Date | null): Promise<UsedByUsers>;
}
