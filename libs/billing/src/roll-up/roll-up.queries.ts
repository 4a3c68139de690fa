import type { Tx } from '@app/platform';
import { ADDED_UP, ADDED_UP_COLUMNS, hoursWhere, LEVELS, linesOf, TOLD_BY_COLUMNS, type Level } from './levels';

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

const intoLevel = (level: Level): string => `
    INSERT INTO ${level.table} AS kept (${level.lasts}, ${TOLD_BY_COLUMNS}, ${ADDED_UP_COLUMNS}) ${linesOf(level, 'fresh')}
    ON CONFLICT (${level.lasts}, tenant_id, token_id, model, provider, rate_card, is_correction, service_tier, cost_center)
    DO UPDATE SET ${ADDED_UP.map(([column]) => `${column} = kept.${column} + excluded.${column}`).join(', ')}`;

/** Sums rows up into all levels and `ledger_months`, by the hours that SQL named `fresh` selects. */
const addingUp = (fresh: string): string => `
  WITH fresh AS (${fresh}), ${LEVELS.map((level) => `${level.lasts}s AS (${intoLevel(level)})`).join(', ')}
  INSERT INTO ledger_months AS m (month, rows, last_booked_at)
  SELECT date_trunc('month', hour, 'UTC'), sum(requests), max(last_booked_at) FROM fresh GROUP BY 1
  ON CONFLICT (month) DO UPDATE
    SET rows = m.rows + excluded.rows, last_booked_at = greatest(m.last_booked_at, excluded.last_booked_at)`;

/** Adds what was booked since the last step, and says so. */
export async function addBooked(tx: Tx, { bookedUpTo, reaching }: RollUpState): Promise<void> {
  await tx.query(addingUp(hoursWhere('l.booked_at > $1 AND l.booked_at <= $2')), [
    bookedUpTo.toISOString(),
    reaching.toISOString(),
  ]);
  await tx.query('UPDATE ledger_roll_up SET booked_up_to = $1, days_booked_up_to = $1', [reaching.toISOString()]);
}

/** Sums a month up anew, as far as the roll-up goes. */
export async function addAgain(tx: Tx, { from, to }: LedgerMonth): Promise<void> {
  const { bookedUpTo } = await selectRollUp(tx);
  const month = [from.toISOString(), to.toISOString()];
  for (const { table, lasts } of LEVELS)
    await tx.query(`DELETE FROM ${table} WHERE ${lasts} >= $1 AND ${lasts} < $2`, month);
  await tx.query('DELETE FROM ledger_months WHERE month = $1', [month[0]]);
  await tx.query(addingUp(hoursWhere('l.at >= $1 AND l.at < $2 AND l.booked_at <= $3')), [
    ...month,
    bookedUpTo.toISOString(),
  ]);
}

/** A line that is not what the rows of the ledger add up to. Amounts and counts are `null` where there is no such line. */
export interface RollUpDifference {
  readonly from: Date;
  readonly lasts: Level['lasts'];
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
  const bothBooks = LEVELS.flatMap((level) => {
    const { table, lasts } = level;
    const columns = `'${lasts}' AS lasts, ${lasts} AS beginning, ${TOLD_BY_COLUMNS}, ${ADDED_UP_COLUMNS}`;
    return [
      `SELECT true AS kept, ${columns} FROM ${table} WHERE ${lasts} >= $1 AND ${lasts} < $2`,
      `SELECT false, ${columns} FROM (${linesOf(level, 'hours')}) lines`,
    ];
  }).join(' UNION ALL ');
  return tx.query<RollUpDifference>(
    `WITH hours AS (${hoursWhere('l.at >= $1 AND l.at < $2 AND l.booked_at <= (SELECT booked_up_to FROM ledger_roll_up)')})
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
