import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import { CodedError, Database, newId, once, parseNanos, type Principal } from '@app/platform';
import type { BudgetKey, BudgetList, BudgetView, SetBudget, TopUpBudget } from './budget.dto';
import {
  deleteBudget,
  findTenant,
  limitWindows,
  lockTenant,
  readBudget,
  saveBudget,
  topUpWindow,
} from './budgets.queries';
import { formatAmount } from './amounts';
import { Meters } from './meters';
import type { Metric } from './windows';
import { ensureWindows, type MeterWindow } from './windows.queries';

/** The largest limit, and the largest sum of top-ups: together they fit into the database's 64 bits. */
const MOST = 2n ** 62n - 1n;

/** Sets limits on what tenants may use. They take effect in every gateway process within a second. */
@Injectable()
export class BudgetsService {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly meters: Meters,
  ) {}

  /** @throws CodedError `tenant_not_found` */
  list(principal: Principal, tenantId: string): Promise<BudgetList> {
    return this.database.platform(principal, async (tx) => {
      await findTenant(tx, tenantId);
      const items: BudgetView[] = [];
      for (const meter of this.meters.at(this.meters.now())) items.push(await readBudget(tx, tenantId, meter));
      return { items };
    });
  }

  /** The tenant's own. */
  listOwn(principal: Principal): Promise<BudgetList> {
    return this.database.tenant(principal, async (tx) => {
      const items: BudgetView[] = [];
      for (const meter of this.meters.at(this.meters.now()))
        items.push(await readBudget(tx, principal.tenantId as string, meter));
      return { items };
    });
  }

  /** @throws CodedError `tenant_not_found`, `tenant_state`, `validation_failed` */
  async set(principal: Principal, tenantId: string, { metric, period, limit }: SetBudget): Promise<BudgetView> {
    const amount = parseAmount('limit', metric, limit);
    return this.database.platform(principal, async (tx) => {
      await lockTenant(tx, tenantId);
      const now = this.meters.now();
      const meter = this.meter({ metric, period }, now);
      const before = await readBudget(tx, tenantId, meter);
      await saveBudget(tx, newId('bud'), tenantId, meter, amount, now);
      await limitWindows(tx, tenantId, meter, amount);
      const after = await readBudget(tx, tenantId, meter);
      await this.audit.record(tx, {
        action: 'budget.set',
        tenant: tenantId,
        target: targetOf(meter),
        before: before.limit === null ? undefined : before,
        after,
      });
      tx.announce('budget', tenantId);
      return after;
    });
  }

  /** @throws CodedError `tenant_not_found`, `tenant_state`, `budget_not_found` */
  remove(principal: Principal, tenantId: string, key: BudgetKey): Promise<void> {
    return this.database.platform(principal, async (tx) => {
      await lockTenant(tx, tenantId);
      const meter = this.meter(key, this.meters.now());
      const before = await readBudget(tx, tenantId, meter);
      if (!(await deleteBudget(tx, tenantId, meter))) throw new CodedError('budget_not_found');
      await limitWindows(tx, tenantId, meter, null);
      await this.audit.record(tx, { action: 'budget.removed', tenant: tenantId, target: targetOf(meter), before });
      tx.announce('budget', tenantId);
    });
  }

  /**
   * Adds to the limit of the period under way, and of no other. A limit that is changed later keeps it.
   * @throws CodedError `tenant_not_found`, `tenant_state`, `budget_not_found`, `validation_failed`, `idempotency_conflict`
   */
  topUp(principal: Principal, tenantId: string, dto: TopUpBudget, idempotencyKey?: string): Promise<BudgetView> {
    const { metric, period, reason } = dto;
    const amount = parseAmount('amount', metric, dto.amount);
    return this.database.platform(principal, (tx) =>
      once(tx, idempotencyKey, { topUp: 'budget', tenantId, ...dto }, async () => {
        await lockTenant(tx, tenantId);
        const meter = this.meter({ metric, period }, this.meters.now());
        await ensureWindows(tx, tenantId, [meter]);
        const before = await readBudget(tx, tenantId, meter);
        if (parseAmount('topUp', metric, before.topUp) + amount > MOST)
          throw new CodedError(
            'validation_failed',
            `All top-ups together must not exceed ${formatAmount(metric, MOST)}.`,
          );
        if (!(await topUpWindow(tx, tenantId, meter, amount))) throw new CodedError('budget_not_found');
        const after = await readBudget(tx, tenantId, meter);
        const target = targetOf(meter);
        await this.audit.record(tx, { action: 'budget.topped_up', tenant: tenantId, target, before, after, reason });
        tx.announce('budget', tenantId);
        return after;
      }),
    );
  }

  private meter({ metric, period }: BudgetKey, now: Date): MeterWindow {
    const meter = this.meters.at(now).find((m) => m.metric === metric && m.period === period);
    if (!meter) throw new CodedError('validation_failed', `There is no budget of ${metric} per ${period}.`);
    return meter;
  }
}

/** @throws CodedError `validation_failed` */
function parseAmount(field: string, metric: Metric, text: string): bigint {
  if (metric === 'tokens' && text.includes('.'))
    throw new CodedError(
      'validation_failed',
      `${field} must be a whole number of tokens in quotes, such as "2000000".`,
    );
  const amount = metric === 'cost' ? parseNanos(text) : BigInt(text);
  if (amount > MOST)
    throw new CodedError('validation_failed', `${field} must not exceed ${formatAmount(metric, MOST)}.`);
  return amount;
}

const targetOf = ({ metric, period }: MeterWindow) => ({ kind: 'budget', id: `${metric}/${period}` });
