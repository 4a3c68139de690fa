import type { BudgetBooks, UsageChange } from '@app/billing';
import type { Tx } from '@app/platform';
import { recount, type Settlements } from '@app/quota';

/** Hands what corrections change to the budgets: billing and quota are siblings and know nothing of each other. */
export class BudgetBridge implements BudgetBooks {
  constructor(private readonly settlements: Pick<Settlements, 'books'>) {}

  recount(tx: Tx, changes: readonly UsageChange[]): Promise<void> {
    return recount(
      tx,
      this.settlements.books,
      changes.map(({ costNanos: cost, tokens, ...call }) => ({ ...call, used: { cost, tokens } })),
    );
  }
}
