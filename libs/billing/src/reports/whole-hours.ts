import { daysOf, type Period } from './period';

const HOUR_MS = 3_600_000;

const startOfHour = (at: Date): Date => new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);

/**
 * The hours (UTC) that a period cuts in two: their rows have to be read one by one, of all other hours the sums will do.
 * @param cuts instants at which it is cut beside its ends
 */
export function splitHours({ from, to }: Period, cuts: readonly Date[] = []): Date[] {
  const split = new Set(
    [from, ...cuts, to].filter((at) => at.getTime() % HOUR_MS !== 0).map((at) => startOfHour(at).getTime()),
  );
  return [...split].map((hour) => new Date(hour));
}

/** Where days begin inside of a period. */
export const midnightsIn = (period: Period, timeZone: string): Date[] =>
  [...daysOf(period, timeZone)].slice(1).map(({ from }) => from);
