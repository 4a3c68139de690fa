import type { Hold } from './hold';

/** What ends a hold: its cost, and its ledger row as plain JSON. */
export interface Settlement {
  readonly costNanos: bigint;
  readonly row: unknown;
}

/** Where holds are handed in when they end. */
export interface HoldDesk {
  /** Throws only before anything is changed. */
  settle(hold: Hold, settlement: Settlement): Promise<void>;
  release(hold: Hold): void;
}

export const CLOSED = Symbol('closed');
