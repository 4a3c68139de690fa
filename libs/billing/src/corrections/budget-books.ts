import type { Tx } from '@app/platform';

/** How much more, or less, a call has used than its budgets have counted. */
export interface UsageChange {
  readonly at: Date;
  readonly tenantId: string;
  readonly tokenId: string;
  readonly subject: string | null;
  readonly endUser: string | null;
  readonly model: string;
  readonly costNanos: bigint;
  /** Of all classes together. */
  readonly tokens: bigint;
}

/** The budgets, as seen from here: quota and billing are siblings, so the lib above both connects them. */
export interface BudgetBooks {
  /** Counts changes in the windows that the calls count in, inside the transaction that books them. */
  recount(tx: Tx, changes: readonly UsageChange[]): Promise<void>;
}
