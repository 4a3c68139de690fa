import { floor, HOUR_MS, QUARTER_MS } from './cut-hours';

const DAY_MS = 24 * HOUR_MS;

/** What a period is put together of; between its split hours and its days are whole hours. */
export interface Pieces {
  /** The hours (UTC) that are cut in two, so that their own sums will not do. */
  readonly splitHours: readonly Date[];
  /** Those of them that are cut at quarters only, so that sums of quarters will do. */
  readonly atQuarters: readonly Date[];
  /** The whole days of UTC, one after the other; nothing at the period's end where there are none. */
  readonly daysFrom: Date;
  readonly daysTo: Date;
}

interface Period {
  readonly from: Date;
  readonly to: Date;
}

/**
 * @param cuts instants at which a period is cut beside its ends. Where one of them is no midnight of UTC, the days of a time zone
 *   are wanted, and no whole day of UTC is used
 */
export function piecesOf({ from, to }: Period, cuts: readonly Date[] = []): Pieces {
  const split = new Map<number, boolean>();
  for (const at of [from, ...cuts, to]) {
    if (isOn(at, HOUR_MS)) continue;
    const hour = floor(at, HOUR_MS).getTime();
    split.set(hour, isOn(at, QUARTER_MS) && split.get(hour) !== false);
  }
  const daysFrom = floor(new Date(from.getTime() + DAY_MS - 1), DAY_MS);
  const daysTo = floor(to, DAY_MS);
  const hasDays = daysFrom < daysTo && cuts.every((at) => isOn(at, DAY_MS));
  return {
    splitHours: [...split.keys()].map((hour) => new Date(hour)),
    atQuarters: [...split].filter(([, onlyThere]) => onlyThere).map(([hour]) => new Date(hour)),
    daysFrom: hasDays ? daysFrom : to,
    daysTo: hasDays ? daysTo : to,
  };
}

const isOn = (at: Date, stepMs: number): boolean => at.getTime() % stepMs === 0;
