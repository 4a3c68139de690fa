/** What a budget counts. */
export const METRICS = ['cost', 'tokens'] as const;
export type Metric = (typeof METRICS)[number];

export const PERIODS = ['day', 'month'] as const;
export type Period = (typeof PERIODS)[number];

/** The stretch of time a budget is for: instants in ms since the epoch, the end exclusive. */
export interface Window {
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

/** One thing that can be counted. */
export interface Meter {
  readonly metric: Metric;
  readonly period: Period;
}

export const METERS: readonly Meter[] = METRICS.flatMap((metric) => PERIODS.map((period) => ({ metric, period })));

/** The same in one of its windows. */
export interface MeterWindow extends Meter {
  readonly window: Window;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Zones lie within 14 hours of UTC; a skipped day (Samoa, 2011) still ends inside this. */
const FARTHEST_MS = 40 * HOUR_MS;

/** The calendar of a time zone: when its days and months begin, through daylight saving and skipped days. */
export class Calendar {
  readonly #date: Intl.DateTimeFormat;
  /** The last one asked for, because the next is nearly always the same, and finding one takes some fifty conversions of a date. */
  readonly #last = new Map<Period, Window>();

  /** @param zone IANA name such as `Europe/Berlin` */
  constructor(zone: string) {
    this.#date = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
    });
  }

  /** The window an instant lies in. Windows of one period follow each other without gap or overlap. */
  windowOf(period: Period, atMs: number): Window {
    let window = this.#last.get(period);
    if (!window || atMs < window.startsAtMs || atMs >= window.endsAtMs)
      this.#last.set(period, (window = this.find(period, atMs)));
    return window;
  }

  private find(period: Period, atMs: number): Window {
    let first = startOf(period, this.dateOf(atMs));
    let startsAtMs = this.beginning(first);
    let next = following(period, first);
    let endsAtMs = this.beginning(next);
    // A clock set back across midnight shows the old date again, when the new day has already begun.
    while (endsAtMs <= atMs) {
      first = next;
      startsAtMs = endsAtMs;
      next = following(period, first);
      endsAtMs = this.beginning(next);
    }
    return { startsAtMs, endsAtMs };
  }

  /** The local date, as the instant at which UTC has that date's midnight: dates then compare and add like numbers. */
  private dateOf(atMs: number): number {
    let year = 0;
    let month = 0;
    let day = 0;
    for (const { type, value } of this.#date.formatToParts(atMs)) {
      if (type === 'year') year = Number(value);
      else if (type === 'month') month = Number(value);
      else if (type === 'day') day = Number(value);
    }
    return Date.UTC(year, month - 1, day);
  }

  /** The first instant whose local date is this one or later: not always midnight, where clocks are set forward at night. */
  private beginning(date: number): number {
    let before = date - FARTHEST_MS;
    let reached = date + FARTHEST_MS;
    while (reached - before > 1) {
      const middle = Math.floor((before + reached) / 2);
      if (this.dateOf(middle) >= date) reached = middle;
      else before = middle;
    }
    return reached;
  }
}

const startOf = (period: Period, date: number): number =>
  period === 'day' ? date : Date.UTC(new Date(date).getUTCFullYear(), new Date(date).getUTCMonth(), 1);

const following = (period: Period, date: number): number =>
  period === 'day' ? date + DAY_MS : Date.UTC(new Date(date).getUTCFullYear(), new Date(date).getUTCMonth() + 1, 1);
