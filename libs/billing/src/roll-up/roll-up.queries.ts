import type { Tx } from '@app/platform';
import {
  ADDED_UP,
  ADDED_UP_COLUMNS,
  hoursWhere,
  LEVELS,
  linesOf,
  quartersOf,
  quartersWhere,
  TOLD_BY_COLUMNS,
} from './levels';

/** From the first instant of a month up to that of the next, in UTC as the partitions are. */
export interface LedgerMonth {
  readonly from: Date;
  readonly to: Date;
}

/** Whether this transaction alone works on the roll-up; it does until its end. */
export async function tryLockRollUp(tx: Tx): Promise<boolean> {
  const [row] = await tx.query<{ mine: boolean }>(
    "SELECT pg_try_advisory_xact_lock(hashtext('ledger_roll_up')) AS mine",
  );
  return row?.mine === true;
}

/** Waits until this transaction alone works on the roll-up. */
export const lockRollUp = (tx: Tx): Promise<unknown> =>
  tx.query("SELECT pg_advisory_xact_lock(hashtext('ledger_roll_up'))");

/**
 * Fixes how far the next step goes: up to now. Once it is committed nobody books at or before that instant any more (see
 * `insertRows`), so that the rows up to it are the same ones for ever.
 * @param olderThanMs nothing is done if the last step goes further than that
 * @throws when somebody takes more than a second to book: those who come after him must not wait for the roll-up too
 */
export async function reach(tx: Tx, olderThanMs: number): Promise<void> {
  await tx.query("SET LOCAL lock_timeout = '1s'");
  await tx.query(
    `UPDATE ledger_roll_up SET reaching = greatest(reaching, ledger_booked_up_to())
     WHERE reaching <= clock_timestamp() - $1 * interval '1 millisecond'`,
    [olderThanMs],
  );
}

export interface RollUpState {
  /** Rows booked up to here are summed up. */
  readonly bookedUpTo: Date;
  /** Where the step under way goes to. */
  readonly reaching: Date;
}

export async function selectRollUp(tx: Tx): Promise<RollUpState> {
  const [state] = await tx.query<RollUpState>('SELECT booked_up_to AS "bookedUpTo", reaching FROM ledger_roll_up');
  return state as RollUpState;
}

const into = ({ table, lasts }: { readonly table: string; readonly lasts: string }, lines: string): string => `
    INSERT INTO ${table} AS kept (${lasts}, ${TOLD_BY_COLUMNS}, ${ADDED_UP_COLUMNS}) ${lines}
    ON CONFLICT (${lasts}, tenant_id, token_id, model, provider, rate_card, is_correction, service_tier, cost_center)
    DO UPDATE SET ${ADDED_UP.map(([column]) => `${column} = kept.${column} + excluded.${column}`).join(', ')}`;

const QUARTERS = { table: 'ledger_quarters', lasts: 'quarter' } as const;

/** Sums rows up by the hour, the day and the month, by the hours that SQL named `fresh` selects. */
const addingUp = (fresh: string): string => `
  WITH fresh AS (${fresh}), ${LEVELS.map((level) => `${level.lasts}s AS (${into(level, linesOf(level, 'fresh'))})`).join(', ')}
  INSERT INTO ledger_months AS m (month, rows, last_booked_at)
  SELECT date_trunc('month', hour, 'UTC'), sum(requests), max(last_booked_at) FROM fresh GROUP BY 1
  ON CONFLICT (month) DO UPDATE
    SET rows = m.rows + excluded.rows, last_booked_at = greatest(m.last_booked_at, excluded.last_booked_at)`;

const BOOKED_SINCE = 'l.booked_at > $1 AND l.booked_at <= $2';

/** Adds what was booked since the last step, and says so. */
export async function addBooked(tx: Tx, { bookedUpTo, reaching }: RollUpState): Promise<void> {
  const since = [bookedUpTo.toISOString(), reaching.toISOString()];
  await tx.query(addingUp(hoursWhere(BOOKED_SINCE)), since);
  await tx.query(into(QUARTERS, quartersWhere(BOOKED_SINCE)), since);
  await tx.query(
    'UPDATE ledger_roll_up SET booked_up_to = $1, days_booked_up_to = $1, quarters_booked_up_to = $1',
    since.slice(1),
  );
}

/** Sums a month up anew, as far as the roll-up goes. */
export async function addAgain(tx: Tx, { from, to }: LedgerMonth): Promise<void> {
  const { bookedUpTo } = await selectRollUp(tx);
  const month = [from.toISOString(), to.toISOString()];
  for (const { table, lasts } of [...LEVELS, QUARTERS])
    await tx.query(`DELETE FROM ${table} WHERE ${lasts} >= $1 AND ${lasts} < $2`, month);
  await tx.query('DELETE FROM ledger_months WHERE month = $1', [month[0]]);
  const rows = 'l.at >= $1 AND l.at < $2 AND l.booked_at <= $3';
  const parameters = [...month, bookedUpTo.toISOString()];
  await tx.query(addingUp(hoursWhere(rows)), parameters);
  await tx.query(into(QUARTERS, quartersWhere(rows)), parameters);
}

/** When the first month begins that has rows, in the ledger or taken out of it, and which tables were taken out. */
export async function selectReachOfMonths(tx: Tx): Promise<{ first: Date | null; archived: string }> {
  const [row] = await tx.query<{ first: Date | null; archived: string }>(
    `SELECT (SELECT min(month) FROM ledger_months) AS first,
       (SELECT coalesce(string_agg(table_name, ' ' ORDER BY table_name), '') FROM ledger_archives) AS archived`,
  );
  return row as { first: Date | null; archived: string };
}

/**
 * Keeps hours by the quarter from now on, with what is booked in them so far; a few at a time, the last first. Not those of months
 * that were taken out: their rows are not there.
 * @returns how many are new
 */
export async function keepQuarters(tx: Tx, hours: readonly Date[], limit: number): Promise<number> {
  // No month is taken out before this transaction ends.
  await tx.query('LOCK TABLE ONLY ledger IN ACCESS SHARE MODE');
  const { bookedUpTo } = await selectRollUp(tx);
  const added = await tx.query<{ hour: Date }>(
    `INSERT INTO ledger_cut_hours (hour)
     SELECT hour FROM unnest($1::timestamptz[]) AS wanted (hour)
     WHERE NOT EXISTS (SELECT FROM ledger_cut_hours kept WHERE kept.hour = wanted.hour)
       AND NOT EXISTS (SELECT FROM ledger_archives WHERE month <= wanted.hour AND until > wanted.hour)
     ORDER BY hour DESC LIMIT $2 RETURNING hour`,
    [hours.map((hour) => hour.toISOString()), limit],
  );
  await tx.query(into(QUARTERS, quartersOf('$1::timestamptz[]', 'l.booked_at <= $2')), [
    added.map(({ hour }) => hour.toISOString()),
    bookedUpTo.toISOString(),
  ]);
  return added.length;
}

/** Those of some hours that are kept by the quarter. */
export async function selectKeptQuarters(tx: Tx, hours: readonly Date[]): Promise<Date[]> {
  if (hours.length === 0) return [];
  const kept = await tx.query<{ hour: Date }>(
    'SELECT hour FROM ledger_cut_hours WHERE hour = ANY ($1::timestamptz[])',
    [hours.map((hour) => hour.toISOString())],
  );
  return kept.map(({ hour }) => hour);
}

/** A line that is not what the rows of the ledger add up to. Amounts and counts are `null` where there is no such line. */
export interface RollUpDifference {
  readonly from: Date;
  readonly lasts: 'quarter' | 'hour' | 'day';
  readonly tenant: string;
  readonly costCenter: string | null;
  readonly tokenId: string;
  readonly model: string;
  readonly requests: bigint | null;
  readonly ledgerRequests: bigint | null;
  readonly costNanos: bigint | null;
  readonly ledgerCostNanos: bigint | null;
  /** How many there are, shown or not. */
  readonly differences: bigint;
}

/** Compares a month's roll-up with its rows, in one statement and so at one instant. Up to `limit` differences. */
export const selectDifferences = (tx: Tx, { from, to }: LedgerMonth, limit: number): Promise<RollUpDifference[]> => {
  const kept = (of: string): string => `sum(${of}) FILTER (WHERE kept)::bigint`;
  const found = (of: string): string => `sum(${of}) FILTER (WHERE NOT kept)::bigint`;
  const rows = 'l.at >= $1 AND l.at < $2 AND l.booked_at <= (SELECT booked_up_to FROM ledger_roll_up)';
  const levels = [
    ...LEVELS.map((level) => ({ ...level, lines: linesOf(level, 'hours') })),
    { ...QUARTERS, lines: quartersWhere(rows) },
  ];
  const bothBooks = levels
    .flatMap(({ table, lasts, lines }) => {
      const columns = `'${lasts}' AS lasts, ${lasts} AS beginning, ${TOLD_BY_COLUMNS}, ${ADDED_UP_COLUMNS}`;
      return [
        `SELECT true AS kept, ${columns} FROM ${table} WHERE ${lasts} >= $1 AND ${lasts} < $2`,
        `SELECT false, ${columns} FROM (${lines}) lines`,
      ];
    })
    .join(' UNION ALL ');
  return tx.query<RollUpDifference>(
    `WITH hours AS (${hoursWhere(rows)})
     SELECT beginning AS "from", lasts, tenant_id AS tenant, cost_center AS "costCenter", token_id AS "tokenId", model,
       ${kept('requests')} AS requests, ${found('requests')} AS "ledgerRequests",
       ${kept('cost_nanos')} AS "costNanos", ${found('cost_nanos')} AS "ledgerCostNanos", count(*) OVER () AS differences
     FROM (${bothBooks}) both_books
     GROUP BY lasts, beginning, ${TOLD_BY_COLUMNS}
     HAVING ${ADDED_UP.map(([column]) => `${kept(column)} IS DISTINCT FROM ${found(column)}`).join(' OR ')}
     ORDER BY beginning, lasts, tenant_id, token_id, model LIMIT $3`,
    [from.toISOString(), to.toISOString(), limit],
  );
};
