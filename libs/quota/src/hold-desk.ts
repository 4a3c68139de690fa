import type { Hold } from './hold';

/** What ends a hold: its cost, and what the ledger row needs beyond id, time and cost, as plain JSON. */
export interface Settlement {
  readonly costNanos: bigint;
  readonly row: unknown;
}

/** Where holds are handed in when they end. */
export interface HoldDesk {
  settle(hold: Hold, settlement: Settlement): Promise<void>;
  release(hold: Hold): void;
}

export const CLOSED = Symbol('closed');
