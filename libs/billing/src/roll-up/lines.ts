import type { Tx } from '@app/platform';
import { refuseArchivedHours, refuseArchivedRows } from '../ledger/archives.queries';
import { parametersOf, pathTo, SELECTED, type Selection } from '../ledger/selection';
import { ADDED_UP_COLUMNS, lineOfRow, TOLD_BY_COLUMNS } from './levels';
import { piecesOf } from './pieces';
import { selectKeptQuarters, selectRollUp } from './roll-up.queries';

/**
 * Something to sum over as `l`: lines with the columns of `ledger_hours`, `requests` among them, and an instant `at`. A group
 * whose requests add up to nothing has no rows: `HAVING ${SOME}`.
 */
export interface Lines {
  readonly sql: string;
  /** They come first in the statement. */
  readonly parameters: readonly unknown[];
  /** Must be called after the statement. @throws CodedError `ledger_month_archived` */
  readonly refuseIncomplete: () => Promise<void>;
}

/** After all calls and bookings. */
export const EVER = new Date('9999-01-01T00:00:00Z');

export const SOME = 'sum(l.requests) > 0';

/** Each row a line, with columns that the roll-up does not have too. */
export const rowByRow = (tx: Tx, selection: Selection): Lines => ({
  sql: `(SELECT l.at, l.subject, l.end_user, l.api, ${lineOfRow()} FROM ledger l WHERE ${pathTo(tx, selection).selected}) l`,
  parameters: parametersOf(selection),
  refuseIncomplete: () => refuseArchivedRows(tx, selection),
});

/**
 * The same sums from the roll-up: days and hours as they are summed up; of hours that the period cuts their quarters, or else their
 * rows; and the rows booked between the instant the roll-up goes to and the one that is asked for, added or taken away. How far it
 * goes is read in the same statement. `$6` is how far it went before, no later, and there only to tell the planner that these rows are few.
 *
 * `OFFSET 0` makes the planner find the rows of each cut hour by themselves: left alone it may go through all rows of the period
 * and ask of each whether its hour is one of them. Nor is it to look for the few rows just booked among those of the period or the
 * tenant: `at` is bounded by whole months, for the partitions, and all else is said in words that no index has.
 */
const ROLLED_UP = `(
    SELECT day AS at, ${TOLD_BY_COLUMNS}, ${ADDED_UP_COLUMNS} FROM ledger_days l
    WHERE l.day >= $7 AND l.day < $8 AND ($3::text IS NULL OR l.tenant_id = $3)
  UNION ALL
    SELECT hour AS at, ${TOLD_BY_COLUMNS}, ${ADDED_UP_COLUMNS} FROM ledger_hours l
    WHERE (l.hour >= $1 AND l.hour < $7 OR l.hour >= $8 AND l.hour < $2) AND l.hour <> ALL ($5::timestamptz[])
      AND l.hour <> ALL ($11::timestamptz[]) AND ($3::text IS NULL OR l.tenant_id = $3)
  UNION ALL
    SELECT quarter AS at, ${TOLD_BY_COLUMNS}, ${ADDED_UP_COLUMNS} FROM unnest($11::timestamptz[]) AS cut (hour)
    JOIN ledger_quarters l ON l.quarter >= cut.hour AND l.quarter < cut.hour + interval '1 hour'
    WHERE l.quarter >= $1 AND l.quarter < $2 AND ($3::text IS NULL OR l.tenant_id = $3)
  UNION ALL
    SELECT l.* FROM unnest($5::timestamptz[]) AS split (hour) CROSS JOIN LATERAL (
      SELECT l.at, ${lineOfRow()} FROM ledger l
      WHERE l.at >= split.hour AND l.at < split.hour + interval '1 hour' AND ${SELECTED} OFFSET 0) l
  UNION ALL
    SELECT l.* FROM ledger_roll_up r CROSS JOIN LATERAL (
      SELECT l.at, ${lineOfRow('CASE WHEN r.booked_up_to < $4 THEN 1 ELSE -1 END')} FROM ledger l
      WHERE l.at >= $9 AND l.at < $10 AND l.at + interval '0' >= $1 AND l.at + interval '0' < $2
        AND l.hour <> ALL ($5::timestamptz[]) AND ($3::text IS NULL OR l.tenant_id || '' = $3)
        AND l.booked_at > least($4::timestamptz, $6::timestamptz) AND l.booked_at > least($4, r.booked_up_to)
        AND l.booked_at <= greatest($4, r.booked_up_to) OFFSET 0) l
    WHERE r.the_only
  ) l`;

/** @param cuts instants at which the lines must not reach from before to after, beside the ends of the period */
export async function rolledUp(tx: Tx, selection: Selection, cuts: readonly Date[] = []): Promise<Lines> {
  const { splitHours: split, atQuarters, daysFrom, daysTo } = piecesOf(selection, cuts);
  const quartered = (await selectKeptQuarters(tx, atQuarters)).map((hour) => hour.toISOString());
  const splitHours = split.filter((hour) => !quartered.includes(hour.toISOString()));
  const { bookedUpTo } = await selectRollUp(tx);
  const months = [monthOf(selection.from), monthOf(new Date(selection.to.getTime() - 1), 1)];
  const instants = [bookedUpTo, daysFrom, daysTo, ...months].map((at) => at.toISOString());
  return {
    sql: ROLLED_UP,
    parameters: [...parametersOf(selection), splitHours.map((hour) => hour.toISOString()), ...instants, quartered],
    refuseIncomplete: () => refuseArchivedHours(tx, { ...selection, splitHours }),
  };
}

/** When the month of an instant begins, or one that is later, in UTC as the partitions are. */
export const monthOf = (at: Date, later = 0): Date => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + later));

/** Runs a statement over lines. @param more parameters after theirs; `next` is the number of the first */
export async function sumUp<Row>(
  tx: Tx,
  { sql, parameters, refuseIncomplete }: Lines,
  statement: (lines: string, next: number) => string,
  more: readonly unknown[] = [],
): Promise<Row[]> {
  const rows = await tx.query<Row>(statement(sql, parameters.length + 1), [...parameters, ...more]);
  await refuseIncomplete();
  return rows;
}
