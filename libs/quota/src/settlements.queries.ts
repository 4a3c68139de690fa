import type { Tx } from '@app/platform';
import type { LedgerSink, SettledRow } from './ledger-sink';
import { ceilingOf, lockWindowIds } from './windows.queries';

/** A row, and the windows its cost counts in. */
export interface ChargedRow extends SettledRow {
  readonly windowIds: readonly bigint[];
}

/**
 * Brings rows into the ledger and counts those that were not there yet: spent goes up in their windows, and the process's
 * leases, which were taken for this, go down. Repeating it changes nothing.
 * @returns how much was counted that no lease covered; anything but 0 means that a lease was taken from a living process
 */
export async function bookRows(
  tx: Tx,
  sink: LedgerSink,
  processId: string,
  rows: readonly ChargedRow[],
): Promise<bigint> {
  const inserted = new Set(await sink.append(tx, rows));
  const costs = new Map<string, { tenantId: string; windowId: bigint; cost: bigint }>();
  for (const { id, tenantId, costNanos, windowIds } of rows) {
    if (!inserted.has(id)) continue;
    for (const windowId of windowIds) {
      const key = `${tenantId} ${windowId}`;
      const sum = costs.get(key);
      if (sum) sum.cost += costNanos;
      else costs.set(key, { tenantId, windowId, cost: costNanos });
    }
  }
  if (costs.size === 0) return 0n;
  const sums = [...costs.values()];
  await lockWindowIds(
    tx,
    sums.map(({ windowId }) => windowId),
  );
  const counted = await tx.query<{ uncovered: bigint }>(
    `WITH s AS (SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS s(tenant_id, window_id, cost)),
     c AS (SELECT s.*, least(s.cost, coalesce(l.amount, 0)) AS covered FROM s
           JOIN budget_windows w ON w.id = s.window_id AND w.tenant_id = s.tenant_id
           LEFT JOIN leases l ON l.process_id = $1 AND l.window_id = s.window_id),
     l AS (UPDATE leases l SET amount = l.amount - c.covered FROM c
           WHERE l.process_id = $1 AND l.window_id = c.window_id)
     UPDATE budget_windows w
     SET spent = w.spent + c.cost, leased = w.leased - c.covered,
         ceiling = ${ceilingOf('w.spent + c.cost', 'w.leased - c.covered')}
     FROM c WHERE w.id = c.window_id RETURNING c.cost - c.covered AS uncovered`,
    [processId, sums.map((s) => s.tenantId), sums.map((s) => String(s.windowId)), sums.map((s) => String(s.cost))],
  );
  return counted.reduce((most, { uncovered }) => (uncovered > most ? uncovered : most), 0n);
}
