import type { Tx } from '@app/platform';
import { parametersOf, SELECTED, type Selection } from '../ledger/selection';
import { DETAIL, LABELS, type DetailRow } from '../reports/usage-record';
import type { RequestCursor } from '../reports/usage.queries';
import { UNDECIDED } from './undecided';

export interface UncertainFilter {
  readonly model?: string | undefined;
  readonly token?: string | undefined;
  readonly status?: string | undefined;
  readonly reason?: string | undefined;
  /** With those that were corrected. */
  readonly corrected: boolean;
}

/** As the index of such rows has it. */
const IS_UNCERTAIN = "l.status IN ('estimated', 'unconfirmed', 'quarantined')";

/** Newest first. */
export const selectUncertain = (
  tx: Tx,
  selection: Selection,
  { model, token, status, reason, corrected }: UncertainFilter,
  after: RequestCursor | null,
  limit: number,
): Promise<DetailRow[]> =>
  tx.query<DetailRow>(
    `SELECT ${DETAIL} FROM (
       SELECT * FROM ledger l
       WHERE ${SELECTED} AND ${IS_UNCERTAIN} AND ($5::text IS NULL OR l.model = $5) AND ($6::text IS NULL OR l.token_id = $6)
         AND ($7::text IS NULL OR l.status = $7) AND ($8::text IS NULL OR l.reason = $8) ${corrected ? '' : `AND ${UNDECIDED}`}
         AND ($9::timestamptz IS NULL OR (l.at, l.id) < ($9, $10::uuid))
       ORDER BY l.at DESC, l.id DESC LIMIT $11) l ${LABELS}
     ORDER BY l.at DESC, l.id DESC`,
    [
      ...parametersOf(selection),
      model ?? null,
      token ?? null,
      status ?? null,
      reason ?? null,
      after?.at ?? null,
      after?.id ?? null,
      limit,
    ],
  );

/** How many rows of each status nobody has corrected. */
export const countUncertain = (tx: Tx): Promise<{ readonly status: string; readonly rows: bigint }[]> =>
  tx.query(`SELECT l.status, count(*) AS rows FROM ledger l WHERE ${IS_UNCERTAIN} AND ${UNDECIDED} GROUP BY l.status`);
