import type { Tx } from '@app/platform';
import { lockIsFree } from '../process-lock';

/** What a process has of a key's slots, and would like to have beyond that. */
export interface SlotWish {
  readonly key: string;
  readonly processId: string;
  readonly limit: number;
  /** What it has: a total and not a difference, so that a repeat also mends a commit of unknown outcome. */
  readonly total: number;
  /** Requests that wait. */
  readonly waiting: number;
}

/** Beyond those who wait, a process takes at most this share of what is left, and at most so many. */
const SHARE = 8;
const MOST_AHEAD = 16;

/**
 * Notes what a process has and gives it more, as far as the limit allows over all processes. If that is too little, slots of
 * processes that nobody proves to be alive are dropped, and the others are asked for what they do not use.
 * @returns how many more it has now
 */
export async function adjustSlots(tx: Tx, wish: SlotWish): Promise<number> {
  const { key, processId, limit, total, waiting } = wish;
  // One after the other; the statements that follow see what the last one has left behind.
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('concurrency ' || $1, 0))", [key]);
  let left = limit - total - (await usedByOthers(tx, wish));
  if (left < waiting) {
    await dropUnproven(tx, wish);
    const others = await usedByOthers(tx, wish);
    left = limit - total - others;
    if (left < waiting && others > 0) tx.announce('slots', key);
  }
  const ahead = Math.min(MOST_AHEAD, Math.floor((left - waiting) / SHARE));
  const granted = waiting === 0 ? 0 : Math.max(0, Math.min(left, waiting + Math.max(0, ahead)));
  if (total + granted === 0)
    await tx.query('DELETE FROM concurrency_slots WHERE key = $1 AND process_id = $2', [key, processId]);
  else
    await tx.query(
      `INSERT INTO concurrency_slots (key, process_id, slots) VALUES ($1, $2, $3)
     ON CONFLICT (key, process_id) DO UPDATE SET slots = excluded.slots`,
      [key, processId, total + granted],
    );
  return granted;
}

async function usedByOthers(tx: Tx, { key, processId }: SlotWish): Promise<number> {
  const [row] = await tx.query<{ slots: bigint }>(
    'SELECT coalesce(sum(slots), 0) AS slots FROM concurrency_slots WHERE key = $1 AND process_id <> $2',
    [key, processId],
  );
  return Number(row?.slots ?? 0n);
}

const dropUnproven = (tx: Tx, { key, processId }: SlotWish): Promise<unknown[]> =>
  tx.query(
    `DELETE FROM concurrency_slots s WHERE s.key = $1 AND s.process_id <> $2 AND ${lockIsFree('s.process_id')}`,
    [key, processId],
  );

/** Gives all back that a process has. */
export const dropSlotsOf = (tx: Tx, processId: string): Promise<unknown[]> =>
  tx.query('DELETE FROM concurrency_slots WHERE process_id = $1', [processId]);
