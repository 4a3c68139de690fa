import { setTimeout as delay } from 'node:timers/promises';
import { selectRollUp } from '../roll-up/roll-up.queries';
import type { Read } from './reading';

const PAUSE_MS = 5;
/** Bookings take milliseconds; one that takes longer hangs. */
const PATIENCE_MS = 5_000;

/** Whoever books has this lock before the clock is read, see `BOOKED_AT`, and until all can read what was booked. */
const BOOKINGS = `SELECT l.virtualtransaction AS id FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.relation = 'ledger'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ($1::text[] IS NULL OR l.virtualtransaction = ANY ($1))`;

/**
 * An instant up to which nobody books any more, so that what is read up to it is the same for ever: `now`, once those have
 * ended who are booking; or where one of them hangs, what the roll-up has fixed. Keeps nobody from booking.
 * @param now by the database's clock, in whole milliseconds
 */
export async function settledAt(read: Read, now: Date, patienceMs = PATIENCE_MS): Promise<Date> {
  const bookings = (ids: readonly string[] | null): Promise<string[]> =>
    read(async (tx) => (await tx.query<{ id: string }>(BOOKINGS, [ids])).map(({ id }) => id));
  // What is booked within the millisecond of `now` counts to it.
  await read((tx) => tx.query('SELECT pg_sleep(0.001)'));
  let waiting = await bookings(null);
  for (const since = performance.now(); waiting.length > 0; waiting = await bookings(waiting)) {
    if (performance.now() - since > patienceMs) {
      const { reaching } = await read(selectRollUp);
      return reaching < now ? reaching : now;
    }
    await delay(PAUSE_MS);
  }
  return now;
}
