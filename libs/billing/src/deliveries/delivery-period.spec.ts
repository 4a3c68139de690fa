import { boundsOf, grainOf, periodBefore, startOf } from './delivery-period';
import { partitionPath } from './partition-path';
import { MOST_ATTEMPTS, pauseAfterMs } from './retry';

const ZONE = 'Europe/Berlin';

it.each([
  ['day', '2026-11-25T05:00:00Z', '2026-11-24'],
  ['day', '2026-11-24T23:30:00Z', '2026-11-24'],
  ['day', '2026-11-24T22:30:00Z', '2026-11-23'],
  ['day', '2026-12-31T23:00:00Z', '2026-12-31'],
  ['day', '2028-03-01T06:00:00Z', '2028-02-29'],
  ['month', '2026-12-31T23:00:00Z', '2026-12'],
  ['month', '2027-01-01T06:00:00Z', '2026-12'],
  ['month', '2026-11-30T22:59:59Z', '2026-10'],
] as const)('the %s that was over at %s is %s', (grain, at, period) => {
  expect(periodBefore(grain, ZONE, new Date(at))).toBe(period);
});

it('has the bounds of the calendar, daylight saving included', () => {
  const hours = (name: string): number => {
    const { from, to } = boundsOf(name, ZONE);
    return (to.getTime() - from.getTime()) / 3_600_000;
  };
  expect([hours('2026-03-28'), hours('2026-03-29'), hours('2026-10-25')]).toEqual([24, 23, 25]);
  expect([hours('2026-02'), hours('2026-03'), hours('2026-10')]).toEqual([28 * 24, 31 * 24 - 1, 31 * 24 + 1]);
  expect(startOf('day', ZONE, new Date('2026-03-29T12:00:00Z'))).toEqual(boundsOf('2026-03-29', ZONE).from);
  expect(startOf('month', ZONE, new Date('2026-03-29T12:00:00Z'))).toEqual(boundsOf('2026-03', ZONE).from);
});

it('goes by the report', () => {
  expect((['detail', 'daily', 'period', 'chargeback', 'focus', 'statement'] as const).map(grainOf)).toEqual([
    'day',
    'day',
    'month',
    'month',
    'month',
    null,
  ]);
});

it('has files that loaders find, and a manifest that they pass over', () => {
  expect(partitionPath('usage-detail/1', 'day', '2026-11-24', null)).toEqual({
    folder: 'usage-detail/1/dt=2026-11-24',
    csv: 'usage-detail-2026-11-24.csv',
    manifest: '_usage-detail-2026-11-24.manifest.json',
  });
  expect(partitionPath('usage-focus-1.2/1', 'month', '2026-10', 'finance')).toEqual({
    folder: 'usage-focus-1.2/1/period=2026-10/tenant_id=finance',
    csv: 'usage-focus-1.2-2026-10.csv',
    manifest: '_usage-focus-1.2-2026-10.manifest.json',
  });
});

it('is tried again after ever longer pauses, and given up in the end', () => {
  const pauses = Array.from({ length: MOST_ATTEMPTS }, (_, made) => pauseAfterMs(made + 1));
  expect(pauses.at(-1)).toBeNull();
  const waited = pauses.slice(0, -1) as number[];
  expect(waited).toEqual([...waited].sort((a, b) => a - b));
  expect(waited[0]).toBe(60_000);
});
