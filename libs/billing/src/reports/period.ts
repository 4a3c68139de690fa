import { invalidField } from '@app/platform';
import { dateIn, startOfDay, startOfMonth } from './local-time';

/** From an instant up to but not including another. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** How a caller names a period; see `PeriodQuery`. */
export interface PeriodChoice {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly period?: string | undefined;
}

export const LONGEST_MS = 3_653 * 86_400_000;

/** The month of `now` if nothing is chosen. @throws CodedError `validation_failed` */
export function periodOf({ from, to, period }: PeriodChoice, timeZone: string, now: Date): Period {
  if (period !== undefined && (from !== undefined || to !== undefined))
    throw invalidField('period', 'is not to be combined with from and to');
  if (period === undefined && from !== undefined) {
    const chosen = { from: new Date(from), to: to === undefined ? now : new Date(to) };
    if (chosen.from >= chosen.to) throw invalidField('to', 'must be later than from');
    if (chosen.to.getTime() - chosen.from.getTime() > LONGEST_MS)
      throw invalidField('to', 'must be within ten years of from');
    return chosen;
  }
  if (to !== undefined) throw invalidField('from', 'is missing; give both ends, or a period');
  const [year = 0, month = 0] = (period ?? dateIn(timeZone, now)).split('-').map(Number);
  return { from: startOfMonth(timeZone, year, month), to: startOfMonth(timeZone, year, month + 1) };
}

/** A calendar day, or the part of it that is in a period; `2026-11-22`. */
export interface Day extends Period {
  readonly date: string;
}

const DAYS_AT_ONCE = 7;

/** The calendar days of a period, each cut to it. */
export function* daysOf({ from, to }: Period, timeZone: string): Generator<Day> {
  for (let start = from; start < to;) {
    const date = dateIn(timeZone, start);
    const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
    const next = startOfDay(timeZone, year, month, day + 1);
    yield { date, from: start, to: next < to ? next : to };
    start = next;
  }
}

/** The same, some days at once. */
export function* weeksOf(period: Period, timeZone: string): Generator<Period & { readonly days: Day[] }> {
  let days: Day[] = [];
  for (const day of daysOf(period, timeZone)) {
    days.push(day);
    if (days.length < DAYS_AT_ONCE && day.to < period.to) continue;
    yield { from: (days[0] as Day).from, to: day.to, days };
    days = [];
  }
}
