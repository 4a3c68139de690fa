import type { Tx } from '@app/platform';
import type { TokenClass } from '../pricing/token-counts';
import type { LedgerRow } from './ledger-row';

/** A row on its way into the ledger. */
export interface PricedRow {
  readonly row: LedgerRow;
  /** See `entryJson`. */
  readonly json: string;
  /** What it would cost without the tenant's markup; `null` where that is its cost. */
  readonly listCostNanos: bigint | null;
}

/** Members of a row's JSON, and the columns they go to. */
const COLUMNS: readonly [name: string, type: string, member: string][] = [
  ['id', 'uuid', 'id'],
  ['at', 'timestamptz', 'at'],
  ['tenant_id', 'text', 'tenantId'],
  ['token_id', 'text', 'tokenId'],
  ['subject', 'text', 'subject'],
  ['end_user', 'text', 'endUser'],
  ['model', 'text', 'model'],
  ['provider', 'text', 'provider'],
  ['provider_request_id', 'text', 'providerRequestId'],
  ['rate_card', 'int', 'rateCard'],
  ['formula', 'smallint', 'formula'],
  ['status', 'text', 'status'],
  ['outcome', 'text', 'outcome'],
  ['web_searches', 'int', 'webSearches'],
  ['service_tier', 'text', 'serviceTier'],
  ['cost_nanos', 'bigint', 'costNanos'],
  ['reason', 'text', 'reason'],
  ['list_cost_nanos', 'bigint', 'listCostNanos'],
];

/** The same for its counts, an object within. */
const COUNTS: readonly [name: string, tokenClass: TokenClass][] = [
  ['input_tokens', 'input'],
  ['output_tokens', 'output'],
  ['cache_read_tokens', 'cacheRead'],
  ['cache_write_5m_tokens', 'cacheWrite5m'],
  ['cache_write_1h_tokens', 'cacheWrite1h'],
  ['reasoning_tokens', 'reasoning'],
  ['audio_input_tokens', 'audioInput'],
  ['audio_output_tokens', 'audioOutput'],
];

/** Disjoint, so that their sum is what was used. */
export const TOKEN_COLUMNS = COUNTS.map(([name]) => name);

const NAMES = [...COLUMNS, ...COUNTS].map(([name]) => name).join(', ');
const VALUES = [
  ...COLUMNS.map(([, , member]) => `row."${member}"`),
  ...COUNTS.map(([, tokenClass]) => `counts."${tokenClass}"`),
].join(', ');
const MEMBERS = COLUMNS.map(([, type, member]) => `"${member}" ${type}`).join(', ');
const CLASSES = COUNTS.map(([, tokenClass]) => `"${tokenClass}" bigint`).join(', ');

/**
 * When a row is booked, by the database's clock: later than any closed statement or the roll-up reaches, also if the clock was
 * set back. The clock is read after the lock on the ledger is had, see `ledger_booked_up_to`.
 */
export const BOOKED_AT = `greatest(date_trunc('milliseconds', clock_timestamp()),
  (SELECT max(as_of) + interval '1 millisecond' FROM statements), (SELECT reaching + interval '1 millisecond' FROM ledger_roll_up))`;

// In one order, so that two processes that book the same rows do not wait for each other in a circle.
const INSERT = `
  WITH inserted AS (
    INSERT INTO ledger (${NAMES}, cost_center, booked_at)
    SELECT ${VALUES}, tenants.cost_center, ${BOOKED_AT}
    FROM json_to_recordset($1::json) AS row (${MEMBERS}, counts json)
    CROSS JOIN LATERAL json_to_record(row.counts) AS counts (${CLASSES})
    LEFT JOIN tenants ON tenants.id = row."tenantId"
    ORDER BY row.at, row.id
    ON CONFLICT DO NOTHING
    RETURNING id)
  SELECT count(*)::int AS count,
    CASE WHEN count(*) < $2 THEN array_agg(replace(id::text, '-', '')) END AS ids
  FROM inserted`;

/**
 * Inserts rows, each with the cost centre its tenant has now, and returns the ids that were new. One JSON text for all of
 * them: it is written once, for the journal, and an array for each column would be written again for every batch.
 */
export async function insertRows(tx: Tx, rows: readonly PricedRow[]): Promise<readonly string[]> {
  const text = `[${rows.map(insertedJson).join(',')}]`;
  const [inserted] = await tx.query<{ count: number; ids: string[] | null }>(INSERT, [text, rows.length]);
  return inserted?.count === rows.length ? rows.map(({ row }) => row.id) : (inserted?.ids ?? []);
}

const insertedJson = ({ row, json, listCostNanos }: PricedRow): string =>
  `${json.slice(0, -1)},"id":"${row.id}","at":"${row.at.toISOString()}","costNanos":"${row.costNanos}"` +
  (listCostNanos === null ? '}' : `,"listCostNanos":"${listCostNanos}"}`);

/** An instant up to which every row is booked and committed: whoever books later is told a later one. Waits for writers. */
export async function selectBookedUpTo(tx: Tx): Promise<Date> {
  const [row] = await tx.query<{ at: Date }>('SELECT ledger_booked_up_to() AS at');
  return (row as { at: Date }).at;
}
