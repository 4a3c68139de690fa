import type { Tx } from '@app/platform';
import { lockIsFree } from '../process-lock';
import type { Scope } from '../scopes/scope';
import type { Metric, Period } from '../windows';
import { lockWindowIds } from '../windows.queries';

/** A process that nobody proves to be alive. */
export interface LostProcessRow {
  readonly process_id: string;
  readonly host: string;
  readonly started_at: Date;
}

/** And something that is leased to it. */
export interface LostLeaseRow extends LostProcessRow {
  readonly window_id: bigint;
  readonly tenant_id: string | null;
  readonly metric: Metric;
  readonly period: Period;
  readonly scope: Scope;
  readonly target: string;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly amount: bigint;
}

/** It may have worked for tenants that nothing limits. */
export interface NothingLeased extends LostProcessRow {
  readonly window_id: null;
}

const LEASES = `SELECT p.id AS process_id, p.host, p.started_at, l.window_id, w.tenant_id, w.metric, w.period, w.scope, w.target,
    w.starts_at, w.ends_at, l.amount
  FROM gateway_processes p LEFT JOIN (leases l JOIN budget_windows w ON w.id = l.window_id) ON l.process_id = p.id AND l.amount > 0
  WHERE (p.ended_at IS NULL OR l.amount > 0)`;

/** What is leased to processes whose lock nobody holds and that have not ended, in the order in which they started. */
export const unprovenLeases = (tx: Tx): Promise<(LostLeaseRow | NothingLeased)[]> =>
  tx.query(`${LEASES} AND ${lockIsFree('p.id')} ORDER BY p.started_at, p.id, l.window_id`);

/** Locks a process and what is leased to it, of one that has ended only that. The process comes first, as everywhere; then its windows by id. */
export async function lockLeasesOf(tx: Tx, processId: string): Promise<(LostLeaseRow | NothingLeased)[]> {
  await tx.query('SELECT 1 FROM gateway_processes WHERE id = $1 FOR UPDATE', [processId]);
  const leases = await tx.query<{ window_id: bigint }>('SELECT window_id FROM leases WHERE process_id = $1', [
    processId,
  ]);
  await lockWindowIds(
    tx,
    leases.map(({ window_id }) => window_id),
  );
  return tx.query(`${LEASES} AND p.id = $1 ORDER BY l.window_id`, [processId]);
}

/**
 * Counts what is leased to a process as spent, without rows in the ledger. The caller has locked it.
 * @returns in which windows under way
 */
export async function writeOff(tx: Tx, processId: string): Promise<bigint[]> {
  const spent = await tx.query<{ id: bigint; isUnderWay: boolean }>(
    `WITH d AS (SELECT window_id, amount FROM leases WHERE process_id = $1 AND amount > 0),
     l AS (UPDATE leases l SET amount = 0, written_off = l.written_off + d.amount FROM d
           WHERE l.process_id = $1 AND l.window_id = d.window_id)
     UPDATE budget_windows w SET leased = w.leased - d.amount, spent = w.spent + d.amount, written_off = w.written_off + d.amount
     FROM d WHERE w.id = d.window_id RETURNING w.id, w.ends_at > now() AS "isUnderWay"`,
    [processId],
  );
  return spent.flatMap(({ id, isUnderWay }) => (isUnderWay ? [id] : []));
}

/** From here on the process finds itself declared dead, wherever it may still run. */
export async function endAsResolved(tx: Tx, processId: string): Promise<void> {
  await tx.query(
    `UPDATE gateway_processes SET ended_at = coalesce(ended_at, now()), ended_how = 'resolved' WHERE id = $1`,
    [processId],
  );
}
