import type { Tx } from '@app/platform';
import { type Amounts, amounts, NOTHING } from './amounts';
import type { LedgerSink, SettledRow } from './ledger-sink';
import type { Metric } from './windows';
import { ceilingOf, lockWindowIds } from './windows.queries';

/** A row, what its request used, and the windows that counts in. */
export interface ChargedRow extends SettledRow {
  readonly used: Amounts;
  readonly windowIds: readonly bigint[];
}

/**
 * Brings rows into the ledger and counts those that were not there yet: spent goes up in their windows, and the process's
 * leases, which were taken for this, go down. What was written off when the process was given up for lost counts as spent
 * already, and now has its row. Repeating it changes nothing.
 * @returns how much was counted that no lease covered; anything but 0 means that a lease was taken from a living process
 */
export async function bookRows(
  tx: Tx,
  sink: LedgerSink,
  processId: string,
  rows: readonly ChargedRow[],
): Promise<Amounts> {
  const inserted = new Set(await sink.append(tx, rows));
  const sums = new Map<string, { tenantId: string; windowId: bigint; used: Amounts }>();
  for (const { id, tenantId, used, windowIds } of rows) {
    if (!inserted.has(id)) continue;
    for (const windowId of windowIds) {
      const key = `${tenantId} ${windowId}`;
      const before = sums.get(key)?.used ?? NOTHING;
      sums.set(key, { tenantId, windowId, used: amounts((metric) => before[metric] + used[metric]) });
    }
  }
  return sums.size === 0 ? NOTHING : count(tx, processId, [...sums.values()]);
}

/** Which metric a window is of is for the database to say: the journal of a dead process knows only its id. */
async function count(
  tx: Tx,
  processId: string,
  sums: readonly { readonly tenantId: string; readonly windowId: bigint; readonly used: Amounts }[],
): Promise<Amounts> {
  await lockWindowIds(
    tx,
    sums.map(({ windowId }) => windowId),
  );
  const counted = await tx.query<{ metric: Metric; uncovered: bigint }>(
    `WITH s AS (SELECT s.tenant_id, s.window_id, CASE w.metric WHEN 'cost' THEN s.cost WHEN 'tokens' THEN s.tokens END AS used
                FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) AS s(tenant_id, window_id, cost, tokens)
                JOIN budget_windows w ON w.id = s.window_id AND w.tenant_id = s.tenant_id),
     f AS (SELECT s.*, least(s.used, coalesce(l.amount, 0)) AS covered, coalesce(l.written_off, 0) AS written_off FROM s
           LEFT JOIN leases l ON l.process_id = $1 AND l.window_id = s.window_id),
     c AS (SELECT f.*, least(f.used - f.covered, f.written_off) AS found FROM f),
     l AS (UPDATE leases l SET amount = l.amount - c.covered, written_off = l.written_off - c.found FROM c
           WHERE l.process_id = $1 AND l.window_id = c.window_id)
     UPDATE budget_windows w
     SET spent = w.spent + c.used - c.found, leased = w.leased - c.covered,
         written_off = w.written_off - c.found, uncovered = w.uncovered + c.used - c.covered - c.found,
         ceiling = ${ceilingOf('w.spent + c.used - c.found', 'w.leased - c.covered')}
     FROM c WHERE w.id = c.window_id RETURNING w.metric, c.used - c.covered - c.found AS uncovered`,
    [
      processId,
      sums.map((s) => s.tenantId),
      sums.map((s) => String(s.windowId)),
      sums.map((s) => String(s.used.cost)),
      sums.map((s) => String(s.used.tokens)),
    ],
  );
  return amounts((metric) =>
    counted.reduce((most, row) => (row.metric === metric && row.uncovered > most ? row.uncovered : most), 0n),
  );
}
