import { daysOf, type Period } from '../reports/period';

export const HOUR_MS = 3_600_000;
export const QUARTER_MS = HOUR_MS / 4;

/**
 * The hours of UTC that are cut in two where days of a time zone begin, of days that begin within a period: none where they begin on
 * the hour, as in most zones.
 */
export const cutHours = (period: Period, timeZone: string): Date[] =>
  [...daysOf(period, timeZone)]
    .slice(1)
    .filter(({ from }) => from.getTime() % HOUR_MS !== 0)
    .map(({ from }) => floor(from, HOUR_MS));

export const floor = (at: Date, stepMs: number): Date => new Date(Math.floor(at.getTime() / stepMs) * stepMs);
