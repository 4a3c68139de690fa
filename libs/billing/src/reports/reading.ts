import { CodedError, type Database, type Principal, type Tx } from '@app/platform';

/** Runs one short read. A report is many of them, so that no transaction is open while somebody downloads slowly. */
export type Read = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

/** A tenant reads inside its wall, whatever a query asks for; admins read across. */
export const readAs =
  (database: Database, principal: Principal): Read =>
  (work) =>
    principal.kind === 'tenant' ? database.tenant(principal, work) : database.platform(principal, work);

/** Facts a report begins with. `now` is the database's clock, which also stamps the rows. @throws CodedError `tenant_not_found` */
export async function readStart(tx: Tx, tenant: string | null): Promise<{ now: Date; currency: string | null }> {
  const [start] = await tx.query<{ now: Date; currency: string | null; known: boolean }>(
    `SELECT date_trunc('milliseconds', clock_timestamp()) AS now, (SELECT currency FROM rate_cards ORDER BY version DESC LIMIT 1) AS currency,
       $1::text IS NULL OR EXISTS (SELECT FROM tenants WHERE id = $1) AS known`,
    [tenant],
  );
  if (!start?.known) throw new CodedError('tenant_not_found');
  return start;
}

/**
 * Sums over lines of the ledger (see `Lines`), in the database's words. A correction adds to what a call used, and is no call.
 * Those of costs are no `bigint` there: it ends at nine thousand million units, which in some currencies is a year's bill.
 */
export const SUMS = `coalesce(sum(l.requests) FILTER (WHERE NOT l.is_correction), 0)::bigint AS requests,
  sum(l.input_tokens)::bigint AS input, sum(l.cache_read_tokens)::bigint AS "cacheRead",
  sum(l.cache_write_5m_tokens)::bigint AS "cacheWrite5m", sum(l.cache_write_1h_tokens)::bigint AS "cacheWrite1h",
  sum(l.output_tokens)::bigint AS output, sum(l.reasoning_tokens)::bigint AS reasoning,
  sum(l.audio_input_tokens)::bigint AS "audioInput", sum(l.audio_output_tokens)::bigint AS "audioOutput",
  sum(l.web_searches)::bigint AS "webSearches", sum(coalesce(l.list_cost_nanos, l.cost_nanos)) AS "listCostNanos",
  sum(l.cost_nanos) AS "costNanos"`;

/** The same of what the response cache answered: how many of the calls, and what they would have cost. */
export const SAVINGS = `sum(l.cached_requests)::bigint AS "cachedRequests", sum(coalesce(l.saved_nanos, 0)) AS "savedNanos"`;

export interface Savings {
  readonly cachedRequests: bigint;
  readonly savedNanos: bigint;
}

export interface Sums {
  readonly requests: bigint;
  readonly input: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite5m: bigint;
  readonly cacheWrite1h: bigint;
  readonly output: bigint;
  readonly reasoning: bigint;
  readonly audioInput: bigint;
  readonly audioOutput: bigint;
  readonly webSearches: bigint;
  /** Before the tenants' markups and discounts. */
  readonly listCostNanos: bigint;
  readonly costNanos: bigint;
}
