import fc from 'fast-check';
import { Calendar, PERIODS } from './windows';

const iso = (ms: number): string => new Date(ms).toISOString();
const windowOf = (zone: string, period: 'day' | 'month', at: string): [string, string] => {
  const { startsAtMs, endsAtMs } = new Calendar(zone).windowOf(period, Date.parse(at));
  return [iso(startsAtMs), iso(endsAtMs)];
};

describe('windows', () => {
  test.each([
    ['UTC', 'day', '2026-02-28T23:59:59.999Z', '2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['UTC', 'month', '2024-02-29T12:00:00.000Z', '2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['UTC', 'month', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    // 23 and 25 hours: the clock is set forward and back
    ['Europe/Berlin', 'day', '2026-03-29T12:00:00.000Z', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['Europe/Berlin', 'day', '2026-10-25T12:00:00.000Z', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    ['Europe/Berlin', 'month', '2026-10-31T22:59:59.999Z', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z'],
    ['Asia/Kolkata', 'day', '2026-06-01T00:00:00.000Z', '2026-05-31T18:30:00.000Z', '2026-06-01T18:30:00.000Z'],
    // midnight itself is skipped: the day begins at one o'clock
    ['America/Sao_Paulo', 'day', '2018-11-04T12:00:00.000Z', '2018-11-04T03:00:00.000Z', '2018-11-05T02:00:00.000Z'],
    // a day that never was: 29 December is followed by 31 December
    ['Pacific/Apia', 'day', '2011-12-30T09:59:59.999Z', '2011-12-29T10:00:00.000Z', '2011-12-30T10:00:00.000Z'],
    ['Pacific/Apia', 'day', '2011-12-30T10:00:00.000Z', '2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z'],
    // set back at one minute past midnight: the old date shows again after the new one has begun
    ['America/St_Johns', 'day', '2010-11-07T03:00:00.000Z', '2010-11-07T02:30:00.000Z', '2010-11-08T03:30:00.000Z'],
  ] as const)('%s %s of %s', (zone, period, at, start, end) => {
    expect(windowOf(zone, period, at)).toEqual([start, end]);
  });

  test('follow each other without gap or overlap, in every zone', () => {
    const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => [zone, new Calendar(zone)] as const);
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...PERIODS),
        fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2040, 0) }),
        ([, calendar], period, at) => {
          const { startsAtMs, endsAtMs } = calendar.windowOf(period, at);
          expect(startsAtMs).toBeLessThanOrEqual(at);
          expect(endsAtMs).toBeGreaterThan(at);
          expect(calendar.windowOf(period, startsAtMs)).toEqual({ startsAtMs, endsAtMs });
          expect(calendar.windowOf(period, endsAtMs - 1)).toEqual({ startsAtMs, endsAtMs });
          expect(calendar.windowOf(period, endsAtMs).startsAtMs).toBe(endsAtMs);
          expect(calendar.windowOf(period, startsAtMs - 1).endsAtMs).toBe(startsAtMs);
        },
      ),
      { numRuns: 300 },
    );
  });
});
