const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What a period is put together of; between its split hours and its days are whole hours. */
export interface Pieces {
  /** The hours (UTC) that are cut in two: their rows have to be read one by one, of all other hours the sums will do. */
  readonly splitHours: readonly Date[];
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
  const split = [from, ...cuts, to].filter((at) => at.getTime() % HOUR_MS !== 0).map((at) => floor(at, HOUR_MS));
  const daysFrom = Math.ceil(from.getTime() / DAY_MS) * DAY_MS;
  const daysTo = floor(to, DAY_MS);
  const hasDays = daysFrom < daysTo && cuts.every((at) => at.getTime() % DAY_MS === 0);
  return {
    splitHours: [...new Set(split)].map((hour) => new Date(hour)),
    daysFrom: hasDays ? new Date(daysFrom) : to,
    daysTo: hasDays ? new Date(daysTo) : to,
  };
}

const floor = (at: Date, stepMs: number): number => Math.floor(at.getTime() / stepMs) * stepMs;
