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
