export class LedgerMonthView {
  /** @example "2026-10" */
  month!: string;

  /** Rows booked in it, as far as they are summed up; those that were taken out too. */
  rows!: number;

  /** On disk, indexes included. */
  bytes!: number;

  /**
   * `open` until all statements of it are closed, `closed` until the gateway's were exported, `exported` until it is old
   * enough, `detachable`, and `detached` when its rows are not in the ledger.
   */
  state!: 'open' | 'closed' | 'exported' | 'detachable' | 'detached';

  /** What it waits for; `null` where it waits for nothing. */
  because!: string | null;

  /** Tables in the schema `openclawmu_archive` that hold rows of it, or held them before somebody dropped them. */
  archivedTables!: string[];
}

export class LedgerMonthList {
  /** Newest first. */
  items!: LedgerMonthView[];
}

export class RollUpDifferenceView {
  /** When the line begins. */
  from!: string;

  /** How long it lasts; days are those of UTC, quarters those of an hour. */
  lasts!: 'quarter' | 'hour' | 'day';

  tenant!: string;

  costCenter!: string | null;

  tokenId!: string;

  model!: string;

  /** By the roll-up; `null` where it has no such line. */
  requests!: number | null;

  /** By the rows of the ledger; `null` where there are none. */
  ledgerRequests!: number | null;

  /** @example "0.001275" */
  cost!: string | null;

  /** @example "0.001275" */
  ledgerCost!: string | null;
}

export class RollUpCheck {
  /** @example "2026-10" */
  month!: string;

  /** Whether the roll-up is what the rows of the ledger add up to. */
  ok!: boolean;

  /** How many lines of it are not. */
  differences!: number;

  /** The earliest of them. */
  examples!: RollUpDifferenceView[];
}
