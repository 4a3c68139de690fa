import type { Tx } from '@app/platform';
import type { Grant } from './allot';
import { bigints } from './bigints';
import { type Recall, recallText } from './recall';
import type { Owner } from './scopes/scope';
import { ceilingOf, lockWindowIds } from './windows.queries';

export interface Amount {
  readonly windowId: bigint;
  readonly amount: bigint;
}

const ids = (amounts: readonly Amount[]): string => bigints(amounts.map(({ windowId }) => windowId));
const nanos = (amounts: readonly Amount[]): string => bigints(amounts.map(({ amount }) => amount));

/** Leases amounts of windows that the transaction has locked and found to have them. */
export async function grant(tx: Tx, processId: string, grants: readonly Grant[]): Promise<void> {
  const amounts = grants.map(({ lease: { windowId }, amount }): Amount => ({ windowId, amount }));
  await tx.query(
    `WITH g AS (SELECT * FROM unnest($2::bigint[], $3::bigint[]) AS g(window_id, amount)),
     w AS (UPDATE budget_windows w SET leased = w.leased + g.amount FROM g WHERE w.id = g.window_id)
     INSERT INTO leases AS l (window_id, process_id, amount) SELECT g.window_id, $1, g.amount FROM g
     ON CONFLICT (process_id, window_id) DO UPDATE SET amount = l.amount + excluded.amount`,
    [processId, ids(amounts), nanos(amounts)],
  );
}

/**
 * Lowers a process's leases on owners' windows to what it says it still needs, by window id; windows it does not name, to nothing.
 * Totals and not differences, so that it may be repeated after a commit of unknown outcome, and so that it also returns
 * what a grant of unknown outcome has left behind.
 */
export async function lowerTo(
  tx: Tx,
  processId: string,
  owners: readonly Owner[],
  totals: ReadonlyMap<bigint, bigint>,
): Promise<void> {
  const leases = await tx.query<{ window_id: bigint }>(
    `SELECT l.window_id FROM leases l JOIN budget_windows w ON w.id = l.window_id
     WHERE l.process_id = $1 AND (coalesce(w.tenant_id, ''), w.scope, w.target) IN
       (SELECT coalesce(o.tenant_id, ''), o.scope, o.target FROM unnest($2::text[], $3::text[], $4::text[]) AS o(tenant_id, scope, target))`,
    [processId, owners.map((o) => o.tenantId), owners.map((o) => o.scope), owners.map((o) => o.target)],
  );
  await lower(
    tx,
    processId,
    leases.map(({ window_id }) => ({ windowId: window_id, amount: totals.get(window_id) ?? 0n })),
  );
}

/** Returns all that a process has leased. */
export async function returnAll(tx: Tx, processId: string): Promise<void> {
  const leases = await tx.query<{ window_id: bigint }>('SELECT window_id FROM leases WHERE process_id = $1', [
    processId,
  ]);
  await lower(
    tx,
    processId,
    leases.map(({ window_id }) => ({ windowId: window_id, amount: 0n })),
  );
}

async function lower(tx: Tx, processId: string, totals: readonly Amount[]): Promise<void> {
  if (totals.length === 0) return;
  await lockWindowIds(
    tx,
    totals.map(({ windowId }) => windowId),
  );
  await tx.query(
    `WITH t AS (SELECT * FROM unnest($2::bigint[], $3::bigint[]) AS t(window_id, total)),
     d AS (SELECT l.window_id, t.total, l.amount - t.total AS back FROM leases l JOIN t USING (window_id)
           WHERE l.process_id = $1 AND l.amount > t.total),
     l AS (UPDATE leases l SET amount = d.total FROM d WHERE l.process_id = $1 AND l.window_id = d.window_id)
     UPDATE budget_windows w SET leased = w.leased - d.back, ceiling = ${ceilingOf('w.spent', 'w.leased - d.back')}
     FROM d WHERE w.id = d.window_id`,
    [processId, ids(totals), nanos(totals)],
  );
  await tx.query(
    'DELETE FROM leases WHERE process_id = $1 AND window_id = ANY($2::bigint[]) AND amount = 0 AND written_off = 0',
    [processId, ids(totals)],
  );
}

/** Asks other processes for some of what they have leased of windows. Where none of them has anything, nobody is asked. */
export async function recallFromOthers(tx: Tx, processId: string, recalls: readonly Recall[]): Promise<void> {
  const rows = await tx.query<{ window_id: bigint }>(
    'SELECT DISTINCT window_id FROM leases WHERE window_id = ANY($1::bigint[]) AND process_id <> $2',
    [bigints(recalls.map(({ windowId }) => windowId)), processId],
  );
  const leased = new Set(rows.map(({ window_id }) => window_id));
  for (const recall of recalls) if (leased.has(recall.windowId)) tx.announce('lease', recallText(recall));
}
