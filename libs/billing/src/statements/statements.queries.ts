import { dashed, type Tx } from '@app/platform';
import { NOTHING, SUMMED } from '../reports/report';
import { refuseArchivedRows } from '../ledger/archives.queries';
import { DETAIL, LABELS, type DetailRow } from '../reports/usage-record';
import type { StatementRow, StatementScope } from './statement';

/**
 * Calls before the period that were booked between the statement before and this one; the rows after one, oldest first.
 * @throws CodedError `ledger_month_archived`
 */
export async function selectLate(
  tx: Tx,
  scope: StatementScope & { readonly lateAfter: Date },
  after: Pick<DetailRow, 'at' | 'id'> | undefined,
  limit: number,
): Promise<DetailRow[]> {
  const rows = await tx.query<DetailRow>(
    `SELECT ${DETAIL}
     FROM (SELECT * FROM ledger l
           WHERE l.at < $1 AND l.booked_at > $2 AND l.booked_at <= $3 AND ($4::text IS NULL OR l.tenant_id = $4)
             AND ($5::timestamptz IS NULL OR (l.at, l.id) > ($5, $6::uuid))
           ORDER BY l.at, l.id LIMIT $7) l ${LABELS}
     ORDER BY l.at, l.id`,
    [
      scope.from.toISOString(),
      scope.lateAfter.toISOString(),
      scope.asOf.toISOString(),
      scope.tenant,
      after?.at.toISOString() ?? null,
      after ? dashed(after.id) : null,
      limit,
    ],
  );
  await refuseArchivedRows(tx, scope);
  return rows;
}

const COLUMNS = `id, month, schema, tenant_id AS tenant, time_zone AS "timeZone", from_at AS "from", to_at AS "to", as_of AS "asOf",
  late_after AS "lateAfter", currency, rows::float8 AS rows, late_rows::float8 AS "lateRows", bytes::float8 AS bytes, sha256,
  digests_sha256 AS "digestsSha256", rate_cards AS "rateCards", requests, input_tokens AS input, cache_read_tokens AS "cacheRead",
  cache_write_5m_tokens AS "cacheWrite5m", cache_write_1h_tokens AS "cacheWrite1h", output_tokens AS output,
  reasoning_tokens AS reasoning, audio_input_tokens AS "audioInput", audio_output_tokens AS "audioOutput",
  web_searches AS "webSearches", coalesce(list_cost_nanos, cost_nanos) AS "listCostNanos", cost_nanos AS "costNanos",
  closed_at AS "closedAt", closed_by AS "closedBy"`;

type FlatRow = Omit<StatementRow, 'sums'> & StatementRow['sums'];

function nested(row: FlatRow): StatementRow {
  const sums: Record<(typeof SUMMED)[number], bigint> = { ...NOTHING };
  const rest: Partial<FlatRow> = { ...row };
  for (const name of SUMMED) {
    sums[name] = row[name];
    delete rest[name];
  }
  return { ...(rest as Omit<StatementRow, 'sums'>), sums };
}

export async function selectStatement(tx: Tx, id: string): Promise<StatementRow | undefined> {
  const rows = await tx.query<FlatRow>(`SELECT ${COLUMNS} FROM statements WHERE id = $1`, [id]);
  return rows.map(nested)[0];
}

/** The newest statement of a tenant, or of the whole gateway. */
export async function selectLastStatement(tx: Tx, tenant: string | null): Promise<StatementRow | undefined> {
  const rows = await tx.query<FlatRow>(
    `SELECT ${COLUMNS} FROM statements WHERE tenant_id IS NOT DISTINCT FROM $1 ORDER BY month DESC LIMIT 1`,
    [tenant],
  );
  return rows.map(nested)[0];
}

/** Newest month first; those of the gateway before those of tenants. */
export async function selectStatementPage(
  tx: Tx,
  tenant: string | null,
  after: { readonly month: string; readonly id: string } | null,
  limit: number,
): Promise<StatementRow[]> {
  const rows = await tx.query<FlatRow>(
    `SELECT ${COLUMNS} FROM statements
     WHERE ($1::text IS NULL OR tenant_id = $1)
       AND ($2::text IS NULL OR month < $2 OR (month = $2 AND id COLLATE "C" > $3))
     ORDER BY month DESC, id COLLATE "C" LIMIT $4`,
    [tenant, after?.month ?? null, after?.id ?? null, limit],
  );
  return rows.map(nested);
}

/** Keeps other closings waiting until the transaction ends. */
export const lockStatements = (tx: Tx): Promise<unknown> =>
  tx.query("SELECT pg_advisory_xact_lock(hashtext('statements'))");

export async function insertStatement(tx: Tx, row: Omit<StatementRow, 'closedAt' | 'closedBy'>): Promise<StatementRow> {
  const { sums } = row;
  const rows = await tx.query<FlatRow>(
    `INSERT INTO statements (id, month, schema, tenant_id, time_zone, from_at, to_at, as_of, late_after, currency, rows, late_rows,
       bytes, sha256, digests_sha256, rate_cards, requests, input_tokens, cache_read_tokens, cache_write_5m_tokens,
       cache_write_1h_tokens, output_tokens, reasoning_tokens, audio_input_tokens, audio_output_tokens, web_searches,
       list_cost_nanos, cost_nanos, closed_at, closed_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
       $25, $26, $27, $28, date_trunc('milliseconds', clock_timestamp()), $29)
     RETURNING ${COLUMNS}`,
    [
      row.id,
      row.month,
      row.schema,
      row.tenant,
      row.timeZone,
      row.from.toISOString(),
      row.to.toISOString(),
      row.asOf.toISOString(),
      row.lateAfter?.toISOString() ?? null,
      row.currency,
      row.rows,
      row.lateRows,
      row.bytes,
      row.sha256,
      row.digestsSha256,
      JSON.stringify(row.rateCards),
      ...SUMMED.map((name) => sums[name]),
      tx.principal.id,
    ].map((value) => (typeof value === 'bigint' ? String(value) : value)),
  );
  return nested(rows[0] as FlatRow);
}
