import type { Tx } from '@app/platform';
import type { LedgerRow } from './ledger-row';

/** A row with what it would cost without the tenant's markup; `null` where that is its cost. */
export interface PricedRow extends LedgerRow {
  readonly listCostNanos: bigint | null;
}

/** A column, its type, and where its value is in a row; arrays of them make one statement of any number of rows. */
const COLUMNS: readonly [name: string, type: string, value: (row: PricedRow) => unknown][] = [
  ['id', 'uuid', ({ id }) => id],
  ['at', 'timestamptz', ({ at }) => at.toISOString()],
  ['tenant_id', 'text', ({ tenantId }) => tenantId],
  ['token_id', 'text', ({ tokenId }) => tokenId],
  ['subject', 'text', ({ subject }) => subject],
  ['end_user', 'text', ({ endUser }) => endUser],
  ['model', 'text', ({ model }) => model],
  ['provider', 'text', ({ provider }) => provider],
  ['provider_request_id', 'text', ({ providerRequestId }) => providerRequestId],
  ['rate_card', 'int', ({ rateCard }) => rateCard],
  ['formula', 'smallint', ({ formula }) => formula],
  ['status', 'text', ({ status }) => status],
  ['outcome', 'text', ({ outcome }) => outcome],
  ['input_tokens', 'bigint', ({ counts }) => counts.input],
  ['output_tokens', 'bigint', ({ counts }) => counts.output],
  ['cache_read_tokens', 'bigint', ({ counts }) => counts.cacheRead],
  ['cache_write_5m_tokens', 'bigint', ({ counts }) => counts.cacheWrite5m],
  ['cache_write_1h_tokens', 'bigint', ({ counts }) => counts.cacheWrite1h],
  ['reasoning_tokens', 'bigint', ({ counts }) => counts.reasoning],
  ['audio_input_tokens', 'bigint', ({ counts }) => counts.audioInput],
  ['audio_output_tokens', 'bigint', ({ counts }) => counts.audioOutput],
  ['web_searches', 'int', ({ webSearches }) => webSearches],
  ['service_tier', 'text', ({ serviceTier }) => serviceTier],
  ['cost_nanos', 'bigint', ({ costNanos }) => String(costNanos)],
  ['reason', 'text', ({ reason }) => reason],
  ['list_cost_nanos', 'bigint', ({ listCostNanos }) => listCostNanos?.toString() ?? null],
];

/** Disjoint, so that their sum is what was used. */
export const TOKEN_COLUMNS = COLUMNS.flatMap(([name]) => (name.endsWith('_tokens') ? [name] : []));

const NAMES = COLUMNS.map(([name]) => name).join(', ');
const ARRAYS = COLUMNS.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');

/**
 * When a row is booked, by the database's clock: later than any closed statement or the roll-up reaches, also if the clock was
 * set back. The clock is read after the lock on the ledger is had, see `ledger_booked_up_to`.
 */
const BOOKED_AT = `greatest(date_trunc('milliseconds', clock_timestamp()),
  (SELECT max(as_of) + interval '1 millisecond' FROM statements), (SELECT reaching + interval '1 millisecond' FROM ledger_roll_up))`;

// In one order, so that two processes that book the same rows do not wait for each other in a circle.
const INSERT = `
  INSERT INTO ledger (${NAMES}, cost_center, booked_at)
  SELECT row.*, tenants.cost_center, ${BOOKED_AT} FROM unnest(${ARRAYS}) AS row (${NAMES}) LEFT JOIN tenants ON tenants.id = row.tenant_id
  ORDER BY row.at, row.id
  ON CONFLICT DO NOTHING
  RETURNING replace(id::text, '-', '') AS id`;

/** Inserts rows, each with the cost centre its tenant has now, and returns the ids that were new. */
export async function insertRows(tx: Tx, rows: readonly PricedRow[]): Promise<string[]> {
  const inserted = await tx.query<{ id: string }>(
    INSERT,
    COLUMNS.map(([, , value]) => rows.map(value)),
  );
  return inserted.map(({ id }) => id);
}
