import { CodedError, type Tx } from '@app/platform';

/** What a reader has just read of the rows of the ledger themselves. */
export interface RowsRead {
  readonly from: Date;
  readonly to: Date;
  /** Earlier rows that were booked after this instant too. */
  readonly lateAfter?: Date | null;
}

/**
 * Refuses what was read of rows that are no longer in the ledger: without them it is not whole. Call it after reading, in the
 * same transaction: a month that is taken out in between is seen then.
 * @throws CodedError `ledger_month_archived`
 */
export const refuseArchivedRows = (tx: Tx, { from, to, lateAfter = null }: RowsRead): Promise<void> =>
  refuse(
    tx,
    `(month < $2 AND until > $1) OR (month < $1 AND booked_up_to > $3)`,
    [from, to, lateAfter].map((at) => at?.toISOString() ?? null),
  );

/**
 * The same for what is read from the roll-up: of archived months it needs no row, unless it is to be known as it was before
 * all of them were booked, or an hour is to be split.
 * @param splitHours the hours of which rows are read one by one
 * @throws CodedError `ledger_month_archived`
 */
export const refuseArchivedHours = (
  tx: Tx,
  { from, to, asOf, splitHours }: RowsRead & { readonly asOf: Date; readonly splitHours: readonly Date[] },
): Promise<void> =>
  refuse(
    tx,
    `month < $2 AND until > $1 AND (booked_up_to > $3
       OR EXISTS (SELECT FROM unnest($4::timestamptz[]) AS split (hour) WHERE split.hour >= month AND split.hour < until))`,
    [...[from, to, asOf].map((at) => at.toISOString()), splitHours.map((hour) => hour.toISOString())],
  );

async function refuse(tx: Tx, archived: string, parameters: unknown[]): Promise<void> {
  const [found] = await tx.query<{ month: string }>(
    `SELECT to_char(month, 'YYYY-MM') AS month FROM ledger_archives WHERE ${archived} ORDER BY ledger_archives.month LIMIT 1`,
    parameters,
  );
  if (found) throw archivedMonth(found.month);
}

/** Says what to do about a month, such as `2025-01`, whose rows are not in the ledger. */
export const archivedMonth = (month: string): CodedError =>
  new CodedError(
    'ledger_month_archived',
    `The rows of ${month} were taken out of the ledger. Restore their table if it was dropped, then: openclawmu ledger attach ${month}`,
    { details: { month } },
  );
