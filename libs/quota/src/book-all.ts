import { CodedError } from '@app/platform';

/**
 * Books rows in one piece. If the database refuses one of them, finds it by halving, so that it does not stand in the way
 * of the others, and hands it to `refused`.
 * @throws CodedError `database_unavailable`: then some may be booked, and all may be booked again
 */
export async function bookAll<Row>(
  rows: readonly Row[],
  book: (rows: readonly Row[]) => Promise<void>,
  refused: (row: Row, error: unknown) => void,
): Promise<void> {
  try {
    await book(rows);
  } catch (error) {
    if (error instanceof CodedError && error.code === 'database_unavailable') throw error;
    if (rows.length === 1) return refused(rows[0] as Row, error);
    const half = Math.ceil(rows.length / 2);
    await bookAll(rows.slice(0, half), book, refused);
    await bookAll(rows.slice(half), book, refused);
  }
}

/** Rows that the database refused, to be told by their causes: what concerns all of them makes one line, and not a thousand. */
export class Refusals<Row> {
  readonly rows: Row[] = [];
  readonly #causes = new Map<string, { readonly row: Row; readonly err: unknown; rows: number }>();

  readonly add = (row: Row, err: unknown): void => {
    this.rows.push(row);
    const cause = this.#causes.get(String(err));
    if (cause) cause.rows++;
    else this.#causes.set(String(err), { row, err, rows: 1 });
  };

  /** @param log is given the first row of each cause */
  tell(log: (row: Row, facts: { readonly err: unknown; readonly rows: number }) => void): void {
    for (const { row, err, rows } of this.#causes.values()) log(row, { err, rows });
  }
}
