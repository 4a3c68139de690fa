/**
 * The instant at which a calendar day begins in a time zone; where the clock skips midnight, when it starts again.
 * @param month 1 to 12; like `day` it may run over its end
 */
export function startOfDay(timeZone: string, year: number, month: number, day: number): Date {
  const wall = Date.UTC(year, month - 1, day);
  // No zone is more than 14 hours from UTC. The first instant whose local date is the wanted one lies between.
  let before = wall - 15 * 3_600_000;
  let after = wall + 15 * 3_600_000;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (localDay(timeZone, middle) >= wall) after = middle;
    else before = middle;
  }
  return new Date(after);
}

export const startOfMonth = (timeZone: string, year: number, month: number): Date =>
  startOfDay(timeZone, year, month, 1);

/** The calendar date of an instant in a time zone, `2026-11-22`. */
export const dateIn = (timeZone: string, at: Date): string =>
  new Date(localDay(timeZone, at.getTime())).toISOString().slice(0, 10);

const formats = new Map<string, Intl.DateTimeFormat>();

/** The local date as the UTC midnight of the same name, so that dates compare as numbers. */
function localDay(timeZone: string, at: number): number {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: 'numeric', day: 'numeric' });
    formats.set(timeZone, format);
  }
  const [month = 0, day = 0, year = 0] = format.format(at).split('/').map(Number);
  return Date.UTC(year, month - 1, day);
}
