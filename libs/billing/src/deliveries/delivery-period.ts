import type { DeliveryConfig } from '@app/platform';
import { dateIn, startOfDay, startOfMonth } from '../reports/local-time';
import type { Period } from '../reports/period';

export type DeliveredReport = DeliveryConfig['report'];

/** What a file of a report covers; `null` for statements, which name their months themselves. */
export type Grain = 'day' | 'month' | null;

const GRAINS: Readonly<Record<DeliveredReport, Grain>> = {
  detail: 'day',
  daily: 'day',
  period: 'month',
  chargeback: 'month',
  focus: 'month',
  statement: null,
};

export const grainOf = (report: DeliveredReport): Grain => GRAINS[report];

const numbersOf = (name: string): number[] => name.split('-').map(Number);

/** The day or month that an instant lies in: `2026-11-24`, `2026-11`. */
const periodAt = (grain: 'day' | 'month', timeZone: string, at: Date): string =>
  dateIn(timeZone, at).slice(0, grain === 'day' ? 10 : 7);

/** The last day or month that was over at an instant. */
export function periodBefore(grain: 'day' | 'month', timeZone: string, at: Date): string {
  const [year = 0, month = 0, day = 0] = numbersOf(dateIn(timeZone, at));
  return grain === 'day'
    ? new Date(Date.UTC(year, month - 1, day - 1)).toISOString().slice(0, 10)
    : new Date(Date.UTC(year, month - 2)).toISOString().slice(0, 7);
}

/** From its first instant up to but not including the next one's. @param name `2026-11-24` or `2026-11` */
export function boundsOf(name: string, timeZone: string): Period {
  const [year = 0, month = 0, day] = numbersOf(name);
  return day === undefined
    ? { from: startOfMonth(timeZone, year, month), to: startOfMonth(timeZone, year, month + 1) }
    : { from: startOfDay(timeZone, year, month, day), to: startOfDay(timeZone, year, month, day + 1) };
}

/** The first instant of the day or month that an instant lies in. */
export const startOf = (grain: 'day' | 'month', timeZone: string, at: Date): Date =>
  boundsOf(periodAt(grain, timeZone, at), timeZone).from;
