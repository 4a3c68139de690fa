import { type Amounts, atLeastZero } from '../amounts';
import type { Owner } from '../scopes/scope';
import type { Metric } from '../windows';

/** What a window has counted, in its metric's unit. */
export interface CheckedWindow {
  readonly id: bigint;
  readonly owner: Owner;
  readonly metric: Metric;
  readonly spent: bigint;
  readonly writtenOff: bigint;
}

/** What a window has counted that is not what the ledger has. */
export interface WindowDifference extends CheckedWindow {
  readonly ledger: bigint;
  /** What it should have counted: the ledger, and what was written off without rows. */
  readonly due: bigint;
}

/** @param used what the ledger has of its owner's calls in the window */
export function differenceOf(window: CheckedWindow, used: Amounts): WindowDifference | null {
  const ledger = used[window.metric];
  const due = atLeastZero(ledger) + window.writtenOff;
  return window.spent === due ? null : { ...window, ledger, due };
}
