import { CodedError, type Tx } from '@app/platform';
import { formatAmount } from './amounts';
import type { BudgetView } from './budget.dto';
import type { MeterWindow } from './windows.queries';

interface UsedRow {
  limit_amount: bigint | null;
  top_up: bigint;
  spent: bigint;
  leased: bigint;
}

const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** Locks the tenant against windows that are being made. @throws CodedError `tenant_not_found`, `tenant_state` */
export async function lockTenant(tx: Tx, tenantId: string): Promise<void> {
  if (!TENANT_ID.test(tenantId)) throw new CodedError('tenant_not_found');
  const [tenant] = await tx.query<{ status: string }>('SELECT status FROM tenants WHERE id = $1 FOR NO KEY UPDATE', [
    tenantId,
  ]);
  if (!tenant) throw new CodedError('tenant_not_found');
  if (tenant.status === 'deleted')
    throw new CodedError('tenant_state', 'The tenant is deleted; its budgets are history.');
}

/** @throws CodedError `tenant_not_found` */
export async function findTenant(tx: Tx, tenantId: string): Promise<void> {
  const found = TENANT_ID.test(tenantId) && (await tx.query('SELECT 1 FROM tenants WHERE id = $1', [tenantId]));
  if (!found || found.length === 0) throw new CodedError('tenant_not_found');
}

/** How a meter stands in its window. Nobody has used anything of a window that does not exist yet. */
export async function readBudget(tx: Tx, tenantId: string, meter: MeterWindow): Promise<BudgetView> {
  const { metric, period, scope, window } = meter;
  const startsAt = new Date(window.startsAtMs);
  const [used] = await tx.query<UsedRow>(
    `SELECT b.limit_amount, coalesce(w.top_up, 0)::bigint AS top_up, coalesce(w.spent, 0)::bigint AS spent, coalesce(w.leased, 0)::bigint AS leased
     FROM (SELECT $1::text AS tenant_id, $2::text AS metric, $3::text AS period, $4::text AS scope) m
     LEFT JOIN budgets b USING (tenant_id, metric, period, scope)
     LEFT JOIN budget_windows w ON (w.tenant_id, w.metric, w.period, w.scope) = (m.tenant_id, m.metric, m.period, m.scope)
       AND w.starts_at = $5`,
    [tenantId, metric, period, scope, startsAt],
  );
  const { limit_amount, top_up, spent, leased } = used as UsedRow;
  return {
    metric,
    period,
    limit: limit_amount === null ? null : formatAmount(metric, limit_amount),
    topUp: formatAmount(metric, top_up),
    spent: formatAmount(metric, spent),
    held: formatAmount(metric, leased),
    startsAt: startsAt.toISOString(),
    resetsAt: new Date(window.endsAtMs).toISOString(),
  };
}

/** Writes the limit into the budget; `limitWindows` makes it take effect. */
export async function saveBudget(
  tx: Tx,
  id: string,
  tenantId: string,
  { metric, period, scope }: MeterWindow,
  limit: bigint,
  now: Date,
): Promise<void> {
  await tx.query(
    `INSERT INTO budgets AS b (id, tenant_id, metric, period, scope, limit_amount, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
     ON CONFLICT (tenant_id, metric, period, scope)
     DO UPDATE SET limit_amount = excluded.limit_amount, updated_at = excluded.updated_at`,
    [id, tenantId, metric, period, scope, String(limit), now],
  );
}

export async function deleteBudget(tx: Tx, tenantId: string, { metric, period, scope }: MeterWindow): Promise<boolean> {
  const deleted = await tx.query(
    'DELETE FROM budgets WHERE (tenant_id, metric, period, scope) = ($1, $2, $3, $4) RETURNING id',
    [tenantId, metric, period, scope],
  );
  return deleted.length > 0;
}

/** Puts a limit, or none, on the windows that have not ended. Their top-up and what they have used stay; see `ceilingOf`. */
export async function limitWindows(
  tx: Tx,
  tenantId: string,
  { metric, period, scope, window }: MeterWindow,
  limit: bigint | null,
): Promise<void> {
  await tx.query(
    `UPDATE budget_windows w SET limit_amount = $5::bigint + w.top_up,
       ceiling = CASE WHEN $5::bigint IS NULL THEN NULL ELSE greatest($5::bigint + w.top_up, w.spent + w.leased) END
     WHERE (tenant_id, metric, period, scope) = ($1, $2, $3, $4) AND ends_at > $6`,
    [tenantId, metric, period, scope, limit === null ? null : String(limit), new Date(window.startsAtMs)],
  );
}

/**
 * Adds to the limit of one window; the others keep theirs.
 * @returns whether the window is there and has a limit
 */
export async function topUpWindow(
  tx: Tx,
  tenantId: string,
  { metric, period, scope, window }: MeterWindow,
  amount: bigint,
): Promise<boolean> {
  const topped = await tx.query(
    `UPDATE budget_windows w SET limit_amount = limit_amount + $6::bigint, top_up = top_up + $6::bigint,
       ceiling = greatest(limit_amount + $6::bigint, spent + leased)
     WHERE (tenant_id, metric, period, scope, starts_at) = ($1, $2, $3, $4, $5) AND limit_amount IS NOT NULL
     RETURNING id`,
    [tenantId, metric, period, scope, new Date(window.startsAtMs), String(amount)],
  );
  return topped.length > 0;
}
