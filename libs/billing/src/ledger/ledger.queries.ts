import type { Tx } from '@app/platform';
import type { TokenClass } from '../pricing/token-counts';
import { apiCode } from './api-codes';
import type { WrittenRows } from './row-text';

type Column = readonly [name: string, type: string, member: string];

/** Members of a head's JSON, and the columns they go to. */
const HEAD_COLUMNS: readonly Column[] = [
  ['tenant_id', 'text', 'tenantId'],
  ['token_id', 'text', 'tokenId'],
  ['subject', 'text', 'subject'],
  ['end_user', 'text', 'endUser'],
  ['api', 'text', 'api'],
  ['model', 'text', 'model'],
  ['provider', 'text', 'provider'],
  ['rate_card', 'int', 'rateCard'],
  ['formula', 'smallint', 'formula'],
];

/** The same of an entry's. */
const COLUMNS: readonly Column[] = [
  ['provider_request_id', 'text', 'providerRequestId'],
  ['status', 'text', 'status'],
  ['outcome', 'text', 'outcome'],
  ['web_searches', 'int', 'webSearches'],
  ['service_tier', 'text', 'serviceTier'],
  ['reason', 'text', 'reason'],
  ['list_cost_nanos', 'bigint', 'listCostNanos'],
  ['saved_nanos', 'bigint', 'savedNanos'],
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

/** Of a row's line, see `rowLine`. */
const part = (number: number, type: string): string => `split_part(line, ' ', ${number})::${type}`;
const KEY = `SELECT ${part(2, 'uuid')} AS id, timestamptz 'epoch' + ${part(3, 'bigint')} * interval '1 millisecond' AS at,
  ${part(4, 'int')} AS head, ${part(6, 'bigint')} AS cost_nanos, substr(line, strpos(line, '{'))::json AS entry
  FROM string_to_table($1, E'\\n') AS line WHERE line <> ''`;
const NAMES = ['id', 'at', 'cost_nanos', ...[...HEAD_COLUMNS, ...COLUMNS, ...COUNTS].map(([name]) => name)].join(', ');
const VALUES = [
  'key.id',
  'key.at',
  'key.cost_nanos',
  ...HEAD_COLUMNS.map(([, , member]) => (member === 'api' ? apiCode('head.api') : `head."${member}"`)),
  ...COLUMNS.map(([, , member]) => (member === 'webSearches' ? `coalesce(row."${member}", 0)` : `row."${member}"`)),
  ...COUNTS.map(([, tokenClass]) => `coalesce(counts."${tokenClass}", 0)`),
].join(', ');
const members = (columns: readonly Column[]): string =>
  columns.map(([, type, member]) => `"${member}" ${type}`).join(', ');
const CLASSES = COUNTS.map(([, tokenClass]) => `"${tokenClass}" bigint`).join(', ');

/**
 * When a row is booked, by the database's clock: later than any closed statement, the roll-up or a count of end users reaches, also if the
 * clock was set back. The clock is read after the lock on the ledger is had, see `ledger_booked_up_to`.
 */
export const BOOKED_AT = `greatest(date_trunc('milliseconds', clock_timestamp()),
  (SELECT max(as_of) + interval '1 millisecond' FROM statements), (SELECT greatest(reaching, counted_to) + interval '1 millisecond' FROM ledger_roll_up))`;

// In one order, so that two processes that book the same rows do not wait for each other in a circle.
const INSERT = `
  WITH inserted AS (
    INSERT INTO ledger (${NAMES}, cost_center, booked_at)
    SELECT ${VALUES}, tenants.cost_center, ${BOOKED_AT}
    FROM (${KEY}) AS key
    JOIN json_to_recordset($2::json) AS head (number int, ${members(HEAD_COLUMNS)}) ON head.number = key.head
    CROSS JOIN LATERAL json_to_record(key.entry) AS row (${members(COLUMNS)}, counts json)
    CROSS JOIN LATERAL json_to_record(row.counts) AS counts (${CLASSES})
    LEFT JOIN tenants ON tenants.id = head."tenantId"
    ORDER BY key.at, key.id
    ON CONFLICT DO NOTHING
    RETURNING id)
  SELECT count(*)::int AS count,
    CASE WHEN count(*) < $3 THEN array_agg(replace(id::text, '-', '')) END AS ids
  FROM inserted`;

/** Inserts rows, each with the cost centre its tenant has now, and returns the ids that were new. */
export async function insertRows(tx: Tx, { rows, lines, heads }: WrittenRows): Promise<readonly string[] | 'all'> {
  const numbered = [...heads].map(({ number, json }) => `{"number":${number},${json.slice(1)}`);
  const values = [lines, `[${numbered.join(',')}]`, rows];
  const [inserted] = await tx.query<{ count: number; ids: string[] | null }>(INSERT, values);
  return inserted?.count === rows ? 'all' : (inserted?.ids ?? []);
}

/** SQL of the months that are in the ledger, as instants in UTC, with their tables. */
export const ATTACHED_MONTHS = `SELECT to_timestamp(right(c.relname, 7), 'YYYY_MM') AS month, c.oid AS "table"
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'ledger'::regclass`;

export async function selectBeginning(tx: Tx): Promise<Date | null> {
  const [row] = await tx.query<{ at: Date | null }>(`SELECT min(month) AS at FROM (${ATTACHED_MONTHS}) attached`);
  return row?.at ?? null;
}

/** An instant up to which every row is booked and committed: whoever books later is told a later one. Waits for writers. */
export async function selectBookedUpTo(tx: Tx): Promise<Date> {
  const [row] = await tx.query<{ at: Date }>('SELECT ledger_booked_up_to() AS at');
  return (row as { at: Date }).at;
}
