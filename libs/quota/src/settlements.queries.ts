import type { Tx } from '@app/platform';
import { type Amounts, amounts, NOTHING } from './amounts';
import type { Books } from './books';
import type { SettledRow } from './ledger-sink';
import { crossesPercent } from './notices/thresholds';
import { type Chargeable, ChargedWindows, type WindowCharge } from './scopes/charged-windows';
import type { Call } from './scopes/scope';
import type { Metric } from './windows';
import { ceilingOf } from './windows.queries';

/** A row, what its request used, and in which windows that counts. */
export interface ChargedRow extends SettledRow {
  readonly call: Call;
  readonly used: Amounts;
  /** Those that its hold has taken from. It counts in all others of its call too. */
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
  { ledger, notices }: Books,
  processId: string,
  rows: readonly ChargedRow[],
): Promise<Amounts> {
  const booked = among(rows, await ledger.append(tx, rows));
  if (booked.length === 0) return NOTHING;
  const windows = await lockChargedWindows(tx, booked);
  const { uncovered, crossed } = await count(tx, processId, windows.charge(booked));
  await notices.reached(tx, ledger, crossed);
  return uncovered;
}

function among(rows: readonly ChargedRow[], ids: readonly string[] | 'all'): readonly ChargedRow[] {
  if (ids === 'all') return rows;
  const known = new Set(ids);
  return rows.filter(({ id }) => known.has(id));
}

/**
 * Locks the windows that rows count in: those their holds name, and those of the parts of their tenants and of the
 * organisation, also if the hold knew nothing of them because their budget was set when it was made already. They cannot
 * come into being any more: whoever makes one waits until the rows are booked, and finds them in the ledger.
 */
export async function lockChargedWindows(tx: Tx, rows: readonly Chargeable[]): Promise<ChargedWindows> {
  const ids = new Set<bigint>();
  for (const windowIds of new Set(rows.map((row) => row.windowIds))) for (const id of windowIds) ids.add(id);
  const calls = new Set(rows.map(({ call }) => call));
  const tenants = new Set<string>();
  const parts = new Map<string, readonly [tenantId: string, scope: 'token' | 'user', target: string]>();
  for (const { tenantId, lineage, user } of calls) {
    tenants.add(tenantId);
    parts.set(`${tenantId} token ${lineage}`, [tenantId, 'token', lineage]);
    if (user !== null) parts.set(`${tenantId} user ${user}`, [tenantId, 'user', user]);
  }
  const narrow = [...parts.values()];
  return new ChargedWindows(
    await tx.query(
      `SELECT id, tenant_id, scope, target, metric, starts_at, ends_at FROM budget_windows WHERE id = ANY (ARRAY(
         SELECT unnest($1::bigint[])
         UNION ALL SELECT w.id FROM unnest($2::text[]) AS t(tenant_id) JOIN budget_windows w USING (tenant_id)
           WHERE w.scope IN ('organisation', 'model') AND w.ends_at > $6 AND w.starts_at <= $7
         UNION ALL SELECT w.id FROM unnest($3::text[], $4::text[], $5::text[]) AS t(tenant_id, scope, target)
           JOIN budget_windows w USING (tenant_id, scope, target)
           WHERE w.scope IN ('token', 'user') AND w.ends_at > $6 AND w.starts_at <= $7
         UNION ALL SELECT w.id FROM budget_windows w
           WHERE w.tenant_id IS NULL AND w.scope IN ('organisation', 'model') AND w.ends_at > $6 AND w.starts_at <= $7))
       ORDER BY id FOR UPDATE`,
      [
        [...ids].map(String),
        [...tenants],
        narrow.map(([tenantId]) => tenantId),
        narrow.map(([, scope]) => scope),
        narrow.map(([, , target]) => target),
        new Date(rows.reduce((first, { atMs }) => Math.min(first, atMs), Infinity)),
        new Date(rows.reduce((last, { atMs }) => Math.max(last, atMs), -Infinity)),
      ],
    ),
  );
}

interface CountedRow {
  readonly id: bigint;
  readonly metric: Metric;
  readonly uncovered: bigint;
  readonly limit: bigint | null;
  readonly before: bigint;
  readonly after: bigint;
}

/** What no lease covered, and the windows in which a threshold may have been crossed. */
interface Counted {
  readonly uncovered: Amounts;
  readonly crossed: readonly bigint[];
}

async function count(tx: Tx, processId: string, charges: readonly WindowCharge[]): Promise<Counted> {
  const counted = await tx.query<CountedRow>(
    `WITH s AS (SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS s(window_id, held, used)),
     f AS (SELECT s.*, least(s.held, coalesce(l.amount, 0)) AS covered, coalesce(l.written_off, 0) AS written_off FROM s
           LEFT JOIN leases l ON l.process_id = $1 AND l.window_id = s.window_id),
     c AS (SELECT f.*, least(f.held - f.covered, f.written_off) AS found FROM f),
     l AS (UPDATE leases l SET amount = l.amount - c.covered, written_off = l.written_off - c.found FROM c
           WHERE l.process_id = $1 AND l.window_id = c.window_id)
     UPDATE budget_windows w
     SET spent = w.spent + c.used - c.found, leased = w.leased - c.covered,
         written_off = w.written_off - c.found, uncovered = w.uncovered + c.held - c.covered - c.found,
         ceiling = ${ceilingOf('w.spent + c.used - c.found', 'w.leased - c.covered')}
     FROM c WHERE w.id = c.window_id RETURNING w.id, w.metric, c.held - c.covered - c.found AS uncovered,
       w.limit_amount AS limit, w.spent - c.used + c.found AS before, w.spent AS after`,
    [
      processId,
      charges.map(({ windowId }) => String(windowId)),
      charges.map(({ held }) => String(held)),
      charges.map(({ used }) => String(used)),
    ],
  );
  const uncovered = amounts((metric) =>
    counted.reduce((most, row) => (row.metric === metric && row.uncovered > most ? row.uncovered : most), 0n),
  );
  return { uncovered, crossed: counted.filter(crossesPercent).map(({ id }) => id) };
}
