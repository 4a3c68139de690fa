import { InvalidArgumentError } from 'commander';

const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** `90m`, `24h`, `7d`: a duration in seconds. */
export function seconds(text: string): number {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  const unit = UNITS_S[match?.[2] ?? ''];
  if (!match || unit === undefined) throw new InvalidArgumentError('Give a duration such as 30m, 24h or 7d.');
  return Number(match[1]) * unit;
}

/** A duration from now (`90d`), a day or an instant; as an ISO instant. */
export function moment(text: string, now = new Date()): string {
  if (/^\d{1,6}[smhdw]$/.test(text)) return new Date(now.getTime() + seconds(text) * 1_000).toISOString();
  return instant(text);
}

/** A day (midnight UTC) or an instant with its offset; as an ISO instant. */
export function instant(text: string): string {
  const shape = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;
  const date = new Date(text);
  if (!shape.test(text) || Number.isNaN(date.getTime()) || !isOfTheCalendar(text.slice(0, 10)))
    throw new InvalidArgumentError(
      'Give a day of UTC (2026-11-30) or an instant with its time zone (2026-11-30T10:00:00+01:00).',
    );
  return date.toISOString();
}

/** JavaScript makes the first of December of 31 November. */
function isOfTheCalendar(day: string): boolean {
  return new Date(day).toISOString().startsWith(day);
}

export function month(text: string): string {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) throw new InvalidArgumentError('Give a month such as 2026-11.');
  return text;
}

/** `a,b,c`, or `all`. */
export type ModelNames = readonly string[] | 'all';

/** `a,b,c` */
export const names = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export const models = (text: string): ModelNames => (text === 'all' ? text : names(text));

/** As the gateway wants it: `null` lifts the restriction. */
export const allowedModels = (names: ModelNames | undefined): readonly string[] | null | undefined =>
  names === 'all' ? null : names;

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < 1) throw new InvalidArgumentError('Give a whole number above 0.');
  return value;
}

/** `50,80,100` */
export const percents = (text: string): number[] => names(text).map(positiveInteger);

/** A whole number, passed on as text. */
export function wholeNumber(text: string): string {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('Give a whole number such as 2000000.');
  return text;
}

/** An exact decimal, passed on as text: a float would change it. */
export function amount(text: string): string {
  if (!/^\d{1,12}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError('Give an amount such as 250 or 12.50.');
  return text;
}

/** The same with a minus before it, if there is one. */
export const signed =
  (value: (text: string) => string) =>
  (text: string): string =>
    text.startsWith('-') ? `-${value(text.slice(1))}` : value(text);

/** A whole number from 0. */
export function count(text: string): number {
  if (!/^\d{1,13}$/.test(text)) throw new InvalidArgumentError('Give a whole number such as 1200.');
  return Number(text);
}
