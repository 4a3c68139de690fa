import type { Tx } from '@app/platform';
import type { Scope } from '../scopes/scope';
import type { Metric, Period, Window } from '../windows';
import { ceilingOf, lockWindowIds } from '../windows.queries';
import type { CheckedWindow } from './checked-window';

/** A day or a month of the calendar. */
export interface NamedWindow {
  readonly period: Period;
  readonly window: Window;
}

/** Which window comes before a page of them; the first page, with nothing before, is the organisation's. */
export type Place = readonly [tenantId: string, scope: string, target: string, metric: string];
export const BEFORE_TENANTS: Place = ['', '', '', ''];

interface Row {
  readonly id: bigint;
  readonly tenant_id: string | null;
  readonly scope: Scope;
  readonly target: string;
  readonly metric: Metric;
  readonly spent: bigint;
  readonly written_off: bigint;
}

const COLUMNS = 'id, tenant_id, scope, target, metric, spent, written_off';

/**
 * Has the transaction, whose first statement it is, see one instant in all of them. Rows of the ledger and what they count in windows are
 * always committed together, so at any instant either has both: it takes no locks to compare them, and nobody who books has to wait.
 */
export const seeOneInstant = (tx: Tx): Promise<unknown> =>
  tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');

/** In the order of their owners. */
export async function selectWindows(
  tx: Tx,
  { period, window }: NamedWindow,
  after: Place | null,
  limit: number,
): Promise<CheckedWindow[]> {
  const rows = await tx.query<Row>(
    `SELECT ${COLUMNS} FROM budget_windows WHERE period = $1 AND starts_at = $2
       AND ${after === null ? 'tenant_id IS NULL' : '(tenant_id, scope, target, metric) > ($4, $5, $6, $7)'}
     ORDER BY tenant_id, scope, target, metric LIMIT $3`,
    [period, new Date(window.startsAtMs), limit, ...(after ?? [])],
  );
  return rows.map(windowOf);
}

/** Locks one for a change. The statement that reads it sees all that was counted before: see decision 0015. */
export async function lockWindow(tx: Tx, id: bigint): Promise<CheckedWindow | null> {
  await lockWindowIds(tx, [id]);
  const [row] = await tx.query<Row>(`SELECT ${COLUMNS} FROM budget_windows WHERE id = $1`, [String(id)]);
  return row ? windowOf(row) : null;
}

/** Of a window that the transaction has locked. */
export async function setSpent(tx: Tx, id: bigint, spent: bigint): Promise<void> {
  await tx.query(
    `UPDATE budget_windows w SET spent = $2, ceiling = ${ceilingOf('$2::bigint', 'w.leased')} WHERE id = $1`,
    [String(id), String(spent)],
  );
}

const windowOf = ({ id, tenant_id: tenantId, scope, target, metric, spent, written_off: writtenOff }: Row) => ({
  id,
  owner: { tenantId, scope, target },
  metric,
  spent,
  writtenOff,
});
