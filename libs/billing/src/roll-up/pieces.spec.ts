import { daysOf } from '../reports/period';
import { piecesOf } from './pieces';

const period = (from: string, to: string) => ({ from: new Date(from), to: new Date(to) });
const iso = (instants: readonly Date[]): string[] => instants.map((at) => at.toISOString());

it.each([
  ['begins and ends on one', '2026-10-01T00:00:00Z', '2026-10-02T07:00:00Z', []],
  ['begins within one', '2026-10-01T00:00:00.001Z', '2026-10-02T00:00:00Z', ['2026-10-01T00:00:00.000Z']],
  ['ends within one', '2026-10-01T00:00:00Z', '2026-10-02T07:59:59.999Z', ['2026-10-02T07:00:00.000Z']],
  ['lies within one', '2026-10-01T00:10:00Z', '2026-10-01T00:20:00Z', ['2026-10-01T00:00:00.000Z']],
])('a period that %s splits these hours', (_, from, to, expected) => {
  expect(iso(piecesOf(period(from, to)).splitHours)).toEqual(expected);
});

it('hours that are cut at quarters only are told', () => {
  const cuts = ['2026-10-01T01:15:00Z', '2026-10-01T01:45:00Z', '2026-10-01T02:30:00Z', '2026-10-01T02:30:01Z'];
  const { splitHours, atQuarters } = piecesOf(
    period('2026-10-01T00:30:00Z', '2026-10-01T03:00:00.001Z'),
    cuts.map((at) => new Date(at)),
  );
  expect(iso(splitHours).sort()).toEqual([0, 1, 2, 3].map((hour) => `2026-10-01T0${hour}:00:00.000Z`));
  expect(iso(atQuarters).sort()).toEqual([0, 1].map((hour) => `2026-10-01T0${hour}:00:00.000Z`));
});

it.each([
  ['begins and ends with them', '2026-10-01T00:00:00Z', '2026-10-03T00:00:00Z', ['2026-10-01', '2026-10-03']],
  ['begins and ends within them', '2026-10-01T00:00:00.001Z', '2026-10-04T23:59:59Z', ['2026-10-02', '2026-10-04']],
  ['is of Berlin', '2026-09-30T22:00:00Z', '2026-10-31T23:00:00Z', ['2026-10-01', '2026-10-31']],
])('a period that %s has these days', (_, from, to, expected) => {
  const { daysFrom, daysTo } = piecesOf(period(from, to));
  expect(iso([daysFrom, daysTo])).toEqual(expected.map((day) => `${day}T00:00:00.000Z`));
});

it.each([
  ['is shorter than one', '2026-10-01T00:00:01Z', '2026-10-02T23:59:59Z', []],
  [
    'is cut within one',
    '2026-10-01T00:00:00Z',
    '2026-10-04T00:00:00Z',
    ['2026-10-02T00:00:00Z', '2026-10-03T01:00:00Z'],
  ],
])('a period that %s has no days', (_, from, to, cuts) => {
  const { daysFrom, daysTo } = piecesOf(
    period(from, to),
    cuts.map((at) => new Date(at)),
  );
  expect([daysFrom, daysTo]).toEqual([new Date(to), new Date(to)]);
});

it.each([
  ['Europe/Berlin', []],
  ['Asia/Kolkata', ['2026-03-28T18:00:00.000Z', '2026-03-29T18:00:00.000Z']],
])('days of %s split the hours %j', (timeZone, split) => {
  const days = period('2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z');
  const midnights = [...daysOf(days, timeZone)].slice(1).map(({ from }) => from);
  expect(iso(piecesOf(days, midnights).splitHours)).toEqual(split);
});
