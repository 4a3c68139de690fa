import { CodedError, type Tx } from '@app/platform';
import type { Meter, Metric, Period, Window } from './windows';

/** A meter's window, as the database knows it. Amounts in the metric's unit. */
export interface WindowRow {
  readonly id: bigint;
  readonly metric: Metric;
  readonly period: Period;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly limit_amount: bigint | null;
  readonly spent: bigint;
  readonly leased: bigint;
}

export interface MeterWindow extends Meter {
  readonly window: Window;
}

const COLUMNS = 'id, metric, period, starts_at, ends_at, limit_amount, spent, leased';

/**
 * Makes the windows that are not there yet, with the limits in force. The tenant's row is locked against a budget that is
 * being set: of the two, the later sees what the earlier did.
 * @throws CodedError `tenant_not_found`
 */
export async function ensureWindows(tx: Tx, tenantId: string, meters: readonly MeterWindow[]): Promise<void> {
  const [tenant] = await tx.query('SELECT id FROM tenants WHERE id = $1 FOR SHARE', [tenantId]);
  if (!tenant) throw new CodedError('tenant_not_found');
  await tx.query(
    `INSERT INTO budget_windows (tenant_id, metric, period, scope, starts_at, ends_at, limit_amount, ceiling)
     SELECT $1, m.metric, m.period, m.scope, m.starts_at, m.ends_at, b.limit_amount, b.limit_amount
     FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
       AS m(metric, period, scope, starts_at, ends_at)
     LEFT JOIN budgets b ON b.tenant_id = $1 AND (b.metric, b.period, b.scope) = (m.metric, m.period, m.scope)
     ON CONFLICT (tenant_id, metric, period, scope, starts_at) DO NOTHING`,
    [tenantId, ...columnsOf(meters), meters.map(({ window }) => new Date(window.endsAtMs))],
  );
}

/**
 * Locks windows for a change, in the order of their ids as everybody does. The statement that follows sees what whoever
 * held them before has left behind; the locking statement itself would not, in all of its parts.
 */
export const lockWindows = (tx: Tx, tenantId: string, meters: readonly MeterWindow[]): Promise<WindowRow[]> =>
  tx.query(
    `SELECT ${COLUMNS} FROM budget_windows
     WHERE tenant_id = $1 AND (metric, period, scope, starts_at) IN
       (SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]))
     ORDER BY id FOR UPDATE`,
    [tenantId, ...columnsOf(meters)],
  );

export const lockWindowIds = (tx: Tx, ids: readonly bigint[]): Promise<unknown[]> =>
  tx.query('SELECT id FROM budget_windows WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [ids.map(String)]);

const columnsOf = (meters: readonly MeterWindow[]): unknown[] => [
  meters.map(({ metric }) => metric),
  meters.map(({ period }) => period),
  meters.map(({ scope }) => scope),
  meters.map(({ window }) => new Date(window.startsAtMs)),
];

/**
 * SQL for the ceiling of a window whose spent and leased are about to become the given expressions: the limit, or what is
 * used if that is more. It falls with what is used, and rises only for usage that no lease covers.
 */
export const ceilingOf = (spent: string, leased: string): string =>
  `CASE WHEN w.limit_amount IS NULL THEN NULL ELSE greatest(w.limit_amount, ${spent} + ${leased}) END`;
