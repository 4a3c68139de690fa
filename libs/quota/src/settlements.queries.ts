import type { Tx } from '@app/platform';
import { type Amounts, amounts, NOTHING } from './amounts';
import { bigints } from './bigints';
import type { Books } from './books';
import { COUNT_COMMIT } from './gateway-process.queries';
import type { LedgerSink } from './ledger-sink';
import { crossesPercent } from './notices/notices.queries';
import { type Chargeable, ChargedWindows, type WindowCharge } from './scopes/charged-windows';
import type { KnownWindows } from './scopes/known-windows';
import type { Metric } from './windows';
import { ceilingOf } from './windows.queries';

/** Settled rows that are booked in one piece. */
export interface Batch<Self> {
  readonly rows: number;
  /** What they count, added up as far as that is for the same windows. */
  readonly sums: readonly Chargeable[];
  /** What each of them counts. */
  readonly singly: readonly Chargeable[];
  /** Brings them to the ledger. @returns the ids of those that were not there yet */
  append(tx: Tx, ledger: LedgerSink): Promise<readonly string[] | 'all'>;
  /** Those of these ids. */
  only(ids: ReadonlySet<string>): Self;
  halves(): readonly [Self, Self];
}

/**
 * Brings rows into the ledger and counts those that were not there yet: spent goes up in their windows, and the process's
 * leases, which were taken for this, go down. What was written off when the process was given up for lost counts as spent
 * already, and now has its row. Repeating it changes nothing.
 * @throws whatever `counted` does: then nothing is booked
 * @param counted is told how far the process's commits are counted with this one
 */
export async function bookRows<Rows extends Batch<Rows>>(
  tx: Tx,
  { ledger, notices }: Books,
  processId: string,
  rows: Rows,
  known: KnownWindows,
  counted?: (commits: bigint) => void,
): Promise<Booked> {
  const ids = await rows.append(tx, ledger);
  const booked = ids === 'all' ? rows : rows.only(new Set(ids));
  if (booked.rows === 0) return { uncovered: NOTHING, unforeseen: false };
  const windows = await lockChargedWindows(tx, booked.sums, known);
  const charges = windows.charge(windows.divide(booked.sums) ? booked.singly : booked.sums);
  const { crossed, commits, ...told } = await count(tx, processId, charges);
  counted?.(commits);
  await notices.reached(tx, ledger, crossed);
  return told;
}

/**
 * Locks the windows that rows count in: those their holds name, and all others of their time and of whom they belong to, whose
 * budgets were set when the holds were made already. They cannot come into being any more: whoever makes one waits until the rows are
 * booked, and finds them in the ledger.
 */
export async function lockChargedWindows(
  tx: Tx,
  rows: readonly Chargeable[],
  known: KnownWindows,
): Promise<ChargedWindows> {
  const named = [...new Set(rows.map(({ windowIds }) => windowIds))].flat();
  const calls = new Set(rows.map(({ call }) => call));
  const [locked] = await tx.query<{ ids: string | null }>(
    `WITH call AS (SELECT * FROM json_to_recordset($2) AS call("tenantId" text, lineage text, "user" text))
     SELECT string_agg(id::text, ',') AS ids FROM (
       SELECT id FROM budget_windows WHERE id = ANY (ARRAY(
         SELECT unnest($1::bigint[])
         UNION ALL SELECT w.id FROM (SELECT DISTINCT "tenantId" FROM call) c JOIN budget_windows w ON w.tenant_id = c."tenantId"
           WHERE w.scope IN ('organisation', 'tenant', 'model') AND w.ends_at > $3 AND w.starts_at <= $4
         UNION ALL SELECT w.id FROM (
             SELECT "tenantId", 'token', lineage FROM call UNION SELECT "tenantId", 'user', "user" FROM call) AS part(tenant_id, scope, target)
           JOIN budget_windows w USING (tenant_id, scope, target) WHERE w.ends_at > $3 AND w.starts_at <= $4
         UNION ALL SELECT w.id FROM budget_windows w
           WHERE w.tenant_id IS NULL AND w.scope IN ('organisation', 'tenant', 'model') AND w.ends_at > $3 AND w.starts_at <= $4))
       ORDER BY id FOR UPDATE) AS locked`,
    [
      bigints(named),
      JSON.stringify([...calls]),
      new Date(rows.reduce((first, { atMs }) => Math.min(first, atMs), Infinity)),
      new Date(rows.reduce((last, { lastMs }) => Math.max(last, lastMs), -Infinity)),
    ],
  );
  const ids = locked?.ids?.split(',') ?? [];
  await known.learn(tx, ids);
  return new ChargedWindows(known, ids);
}

/** What whoever has booked rows should know. */
export interface Booked {
  /** How much was counted that no lease covered; anything but 0 means that a lease was taken from a living process. */
  readonly uncovered: Amounts;
  /** Whether something counted in budgets that its holds knew nothing of. */
  readonly unforeseen: boolean;
}

/** A window of which there is something to tell. */
interface Remarkable {
  readonly id: bigint;
  readonly metric: Metric;
  readonly uncovered: bigint;
  readonly crosses: boolean;
  readonly unforeseen: boolean;
}

/** And the windows in which a threshold may have been crossed, and the process's commits with this one. */
interface Counted extends Booked {
  readonly crossed: readonly bigint[];
  readonly commits: bigint;
}

async function count(tx: Tx, processId: string, charges: readonly WindowCharge[]): Promise<Counted> {
  const found = await tx.query<(Remarkable | { readonly id: null }) & { readonly commits: bigint }>(
    `WITH s AS (SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS s(window_id, held, used)),
     f AS (SELECT s.*, least(s.held, coalesce(l.amount, 0)) AS covered, coalesce(l.written_off, 0) AS written_off FROM s
           LEFT JOIN leases l ON l.process_id = $1 AND l.window_id = s.window_id),
     c AS (SELECT f.*, least(f.held - f.covered, f.written_off) AS found FROM f),
     l AS (UPDATE leases l SET amount = l.amount - c.covered, written_off = l.written_off - c.found FROM c
           WHERE l.process_id = $1 AND l.window_id = c.window_id),
     w AS (UPDATE budget_windows w
       SET spent = w.spent + c.used - c.found, leased = w.leased - c.covered,
           written_off = w.written_off - c.found, uncovered = w.uncovered + c.held - c.covered - c.found,
           ceiling = ${ceilingOf('w.spent + c.used - c.found', 'w.leased - c.covered')}
       FROM c WHERE w.id = c.window_id RETURNING w.id, w.metric, c.held - c.covered - c.found AS uncovered,
         ${crossesPercent('w.limit_amount', 'w.spent - c.used + c.found', 'w.spent')} AS crosses,
         w.limit_amount IS NOT NULL AND c.used > c.held AS unforeseen),
     p AS (${COUNT_COMMIT})
     SELECT coalesce((SELECT commits FROM p), 0) AS commits, w.* FROM (SELECT) AS one LEFT JOIN w ON crosses OR unforeseen OR uncovered <> 0`,
    [
      processId,
      bigints(charges.map(({ windowId }) => windowId)),
      bigints(charges.map(({ held }) => held)),
      bigints(charges.map(({ used }) => used)),
    ],
  );
  const remarkable = found.filter((row) => row.id !== null);
  const uncovered = amounts((metric) =>
    remarkable.reduce((most, row) => (row.metric === metric && row.uncovered > most ? row.uncovered : most), 0n),
  );
  const crossed = remarkable.flatMap(({ id, crosses }) => (crosses ? [id] : []));
  const unforeseen = remarkable.some((row) => row.unforeseen);
  return { uncovered, unforeseen, crossed, commits: found[0]?.commits ?? 0n };
}
