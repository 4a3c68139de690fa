import type { Database, JobPrincipals, Log, Tx } from '@app/platform';
import type { Webhooks } from '@app/webhooks';
import { formatAmount } from '../amounts';
import type { LedgerSink } from '../ledger-sink';
import { markReached, markRefused, type NoticedWindow } from './notices.queries';

/** Windows of which this process knows that their first refusal is told. */
const MOST_REMEMBERED = 10_000;

/** Tells receivers outside how budgets stand: once for each threshold of a window, and once when it refuses. */
export class BudgetNotices {
  #refused = new Set<bigint>();

  constructor(
    private readonly webhooks: Pick<Webhooks, 'announce'>,
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly log: Log,
  ) {}

  /** Announces thresholds that windows have reached, in the transaction that has locked and changed these. */
  async reached(tx: Tx, ledger: LedgerSink, windowIds: readonly bigint[]): Promise<void> {
    if (windowIds.length === 0) return;
    for (const { percent, ...window } of await markReached(tx, windowIds))
      await this.webhooks.announce(tx, {
        event: 'budget.threshold',
        tenant: window.tenant_id,
        data: { percent, ...factsOf(window, ledger) },
      });
  }

  /** Announces, behind the answer, that a request was refused because of that window. */
  refused(ledger: LedgerSink, windowId: bigint): void {
    if (this.#refused.has(windowId)) return;
    if (this.#refused.size >= MOST_REMEMBERED) this.#refused.clear();
    this.#refused.add(windowId);
    this.tellRefused(ledger, windowId).catch((error: unknown) => {
      this.#refused.delete(windowId);
      this.log.warn({ err: error }, 'a refusal was not announced; the next one is');
    });
  }

  private tellRefused(ledger: LedgerSink, windowId: bigint): Promise<void> {
    return this.database.platform(this.jobs.for('notices'), async (tx) => {
      const window = await markRefused(tx, windowId);
      if (!window) return;
      const { tenant_id: tenant } = window;
      await this.webhooks.announce(tx, { event: 'budget.refused', tenant, data: factsOf(window, ledger) });
    });
  }
}

function factsOf(window: NoticedWindow, ledger: LedgerSink): Record<string, unknown> {
  const { scope, target, metric, period, limit_amount: limit, spent, leased, starts_at, ends_at } = window;
  return {
    scope,
    target: target === '' ? null : target,
    metric,
    period,
    limit: limit === null ? null : formatAmount(metric, limit),
    spent: formatAmount(metric, spent),
    held: formatAmount(metric, leased),
    // In its first month a gateway has no prices of the month's beginning.
    currency: metric === 'cost' ? ledger.currency(ends_at) : null,
    windowStart: starts_at.toISOString(),
    windowEnd: ends_at.toISOString(),
  };
}
