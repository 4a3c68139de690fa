import { midnightsIn, splitHours } from './whole-hours';

const period = (from: string, to: string) => ({ from: new Date(from), to: new Date(to) });
const iso = (instants: readonly Date[]): string[] => instants.map((at) => at.toISOString());

it.each([
  ['begins and ends on one', '2026-10-01T00:00:00Z', '2026-10-02T07:00:00Z', []],
  ['begins within one', '2026-10-01T00:00:00.001Z', '2026-10-02T00:00:00Z', ['2026-10-01T00:00:00.000Z']],
  ['ends within one', '2026-10-01T00:00:00Z', '2026-10-02T07:59:59.999Z', ['2026-10-02T07:00:00.000Z']],
  ['lies within one', '2026-10-01T00:10:00Z', '2026-10-01T00:20:00Z', ['2026-10-01T00:00:00.000Z']],
])('a period that %s splits these hours', (_, from, to, expected) => {
  expect(iso(splitHours(period(from, to)))).toEqual(expected);
});

it.each([
  ['Europe/Berlin', ['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'], []],
  [
    'Asia/Kolkata',
    ['2026-03-28T18:30:00.000Z', '2026-03-29T18:30:00.000Z'],
    ['2026-03-28T18:00:00.000Z', '2026-03-29T18:00:00.000Z'],
  ],
])('days of %s begin at %j', (timeZone, midnights, split) => {
  const days = period('2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z');
  expect(iso(midnightsIn(days, timeZone))).toEqual(midnights);
  expect(iso(splitHours(days, midnightsIn(days, timeZone)))).toEqual(split);
});
