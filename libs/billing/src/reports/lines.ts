import type { Tx } from '@app/platform';
import { refuseArchivedHours, refuseArchivedRows } from '../ledger/archives.queries';
import { ADDED_UP_COLUMNS, lineOfRow, TOLD_BY_COLUMNS } from '../ledger/ledger-hours';
import { selectRollUp } from '../ledger/roll-up.queries';
import { parametersOf, SELECTED, type Selection } from './reading';
import { splitHours } from './whole-hours';

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

export const SOME = 'sum(l.requests) > 0';

/** Each row a line, with the columns that the roll-up does not have too. */
export const rowByRow = (tx: Tx, selection: Selection): Lines => ({
  sql: `(SELECT l.at, l.subject, ${lineOfRow()} FROM ledger l WHERE ${SELECTED}) l`,
  parameters: parametersOf(selection),
  refuseIncomplete: () => refuseArchivedRows(tx, selection),
});

/**
 * The same sums from the roll-up: whole hours as they are summed up; the rows of hours that the period cuts; and the rows booked
 * between the instant the roll-up goes to and the one that is asked for, added or taken away. How far it goes is read in the same
 * statement. `$6` is how far it went before, no later, and there only to tell the planner that these rows are few.
 */
const ROLLED_UP = `(
    SELECT hour AS at, ${TOLD_BY_COLUMNS}, ${ADDED_UP_COLUMNS} FROM ledger_hours l
    WHERE l.hour >= $1 AND l.hour < $2 AND l.hour <> ALL ($5::timestamptz[]) AND ($3::text IS NULL OR l.tenant_id = $3)
  UNION ALL
    SELECT l.at, ${lineOfRow()}
    FROM unnest($5::timestamptz[]) AS split (hour) JOIN ledger l ON l.at >= split.hour AND l.at < split.hour + interval '1 hour'
    WHERE ${SELECTED}
  UNION ALL
    SELECT l.at, ${lineOfRow('CASE WHEN r.booked_up_to < $4 THEN 1 ELSE -1 END')}
    FROM ledger_roll_up r, ledger l
    WHERE l.at >= $1 AND l.at < $2 AND l.hour <> ALL ($5::timestamptz[]) AND ($3::text IS NULL OR l.tenant_id = $3)
      AND l.booked_at > least($4::timestamptz, $6::timestamptz) AND l.booked_at > least($4, r.booked_up_to)
      AND l.booked_at <= greatest($4, r.booked_up_to)
  ) l`;

/** @param cuts instants at which the lines must not reach from before to after, beside the ends of the period */
export async function rolledUp(tx: Tx, selection: Selection, cuts: readonly Date[] = []): Promise<Lines> {
  const split = splitHours(selection, cuts);
  const { bookedUpTo } = await selectRollUp(tx);
  return {
    sql: ROLLED_UP,
    parameters: [...parametersOf(selection), split.map((hour) => hour.toISOString()), bookedUpTo.toISOString()],
    refuseIncomplete: () => refuseArchivedHours(tx, { ...selection, splitHours: split }),
  };
}

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
