import type { Tx } from '@app/platform';
import { bigints } from './bigints';
import { columnsOf, fieldsOf, isOf } from './limits.queries';
import type { Owner } from './scopes/scope';
import type { MeterWindow, Metric, Period } from './windows';

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

const COLUMNS = 'id, metric, period, starts_at, ends_at, limit_amount, spent, leased';

/**
 * Locks windows for a change, in the order of their ids as everybody does, and by their ids alone: see decision 0015. The statement
 * that follows sees what whoever held them before has left behind; the locking statement itself would not, in all of its parts.
 */
export const lockWindows = (tx: Tx, owner: Owner, meters: readonly MeterWindow[]): Promise<WindowRow[]> =>
  tx.query(
    `SELECT ${COLUMNS} FROM budget_windows WHERE id = ANY (ARRAY(
       SELECT w.id FROM unnest($4::text[], $5::text[], $6::timestamptz[]) AS m(metric, period, starts_at)
         JOIN budget_windows w USING (metric, period, starts_at)
       WHERE ${isOf(owner)} AND (scope, target) = ($2, $3)))
     ORDER BY id FOR UPDATE`,
    [...fieldsOf(owner), ...columnsOf(meters)],
  );

export const lockWindowIds = (tx: Tx, ids: readonly bigint[]): Promise<unknown[]> =>
  tx.query('SELECT id FROM budget_windows WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [bigints(ids)]);

/**
 * Removes windows that ended by an instant, and that they were told of. What a process has leased, or somebody wrote off, stays.
 * @returns how many
 */
export async function deleteWindows(tx: Tx, endedBy: Date, most: number): Promise<number> {
  const deleted = await tx.query(
    `WITH old AS (
       SELECT id FROM budget_windows w WHERE ends_at <= $1 AND leased = 0 AND written_off = 0 AND uncovered = 0
         AND NOT EXISTS (SELECT FROM leases l WHERE l.window_id = w.id AND (l.amount > 0 OR l.written_off > 0))
       ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED),
     told AS (DELETE FROM budget_notices n USING old WHERE n.window_id = old.id),
     empty AS (DELETE FROM leases l USING old WHERE l.window_id = old.id)
     DELETE FROM budget_windows w USING old WHERE w.id = old.id RETURNING w.id`,
    [endedBy, most],
  );
  return deleted.length;
}

/**
 * SQL for the ceiling of a window whose spent and leased are about to become the given expressions: the limit, or what is
 * used if that is more. It falls with what is used, and rises only for usage that no lease covers.
 */
export const ceilingOf = (spent: string, leased: string): string =>
  `CASE WHEN w.limit_amount IS NULL THEN NULL ELSE greatest(w.limit_amount, ${spent} + ${leased}) END`;
