import { CodedError } from '@app/platform';

/** What can be booked in pieces. */
interface Divisible<Self> {
  readonly rows: number;
  halves(): readonly [Self, Self];
}

/**
 * Books batch after batch, each in one piece. If the database refuses a row of one, finds it by halving, so that it does not stand in the
 * way of the others, and hands it to `refused`. What is booked or refused leaves the list.
 * @throws CodedError `database_unavailable`: what is left may be booked, and can be booked again
 */
export async function bookAll<Rows extends Divisible<Rows>>(
  batches: Rows[],
  book: (rows: Rows) => Promise<void>,
  refused: (row: Rows, error: unknown) => void,
): Promise<void> {
  for (let rows; (rows = batches[0]);) {
    try {
      await book(rows);
    } catch (error) {
      if (error instanceof CodedError && error.code === 'database_unavailable') throw error;
      if (rows.rows > 1) {
        batches.splice(0, 1, ...rows.halves());
        continue;
      }
      refused(rows, error);
    }
    batches.shift();
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
