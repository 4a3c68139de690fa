import type { LedgerSink } from './ledger-sink';
import type { BudgetNotices } from './notices/budget-notices.service';

/** Where rows are booked, and who tells what they make of budgets. */
export interface Books {
  readonly ledger: LedgerSink;
  readonly notices: BudgetNotices;
}
