import { Cron } from 'croner';
import { startOf, type Grain } from './delivery-period';

/** What a gateway that was down for long catches up at most. */
const MOST_PERIODS = 31;

const cronOf = (schedule: string, timeZone: string): Cron =>
  new Cron(schedule, { timezone: timeZone, mode: '5-part', paused: true });

export const nextSlot = (schedule: string, timeZone: string, now: Date): Date | null =>
  cronOf(schedule, timeZone).nextRun(now);

/**
 * The slots of a schedule that are due and were not seen yet, oldest first. Of several that deliver the same period only the
 * last; of a new delivery only the one that came last.
 * @param last the newest slot that is known; `undefined` for a new delivery
 */
export function dueSlots(schedule: string, timeZone: string, grain: Grain, last: Date | undefined, now: Date): Date[] {
  const cron = cronOf(schedule, timeZone);
  const most = last === undefined || grain === null ? 1 : MOST_PERIODS;
  const due: Date[] = [];
  // Croner looks before a whole second.
  for (let before = new Date(now.getTime() + 1_000); due.length < most;) {
    const [slot] = cron.previousRuns(1, before);
    if (slot === undefined || slot > now || (last !== undefined && slot <= last)) break;
    due.unshift(slot);
    if (grain !== null) before = startOf(grain, timeZone, slot);
  }
  return due;
}
