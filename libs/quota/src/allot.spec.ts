import { patienceOf } from './allot';
import { WindowLease } from './window-lease';
import type { WindowRow } from './windows.queries';

const start = new Date(Date.UTC(2026, 10, 1));
const end = new Date(Date.UTC(2026, 11, 1));

/** A window, and what is to be leased of it. @param leased by all, before that */
const granted = (limit: bigint | null, amount: bigint, { spent = 0n, leased = 0n, free = 0n } = {}) => {
  const lease = new WindowLease(1n, 'cost', start.getTime(), end.getTime());
  lease.free = free;
  const row: WindowRow = {
    id: 1n,
    metric: 'cost',
    period: 'month',
    starts_at: start,
    ends_at: end,
    limit_amount: limit,
    spent,
    leased,
  };
  return { source: { row, lease }, grant: { lease, amount } };
};
const patience = (...all: ReturnType<typeof granted>[]): number =>
  patienceOf(
    all.map(({ source }) => source),
    all.map(({ grant }) => grant),
  );

const [SECONDS, MINUTE] = [5_000, 60_000];

test.each([
  ['without a limit', [granted(null, 1_000_000n)], MINUTE],
  ['little of what is left', [granted(6_400n, 100n)], MINUTE],
  ['more than that', [granted(6_399n, 100n)], SECONDS],
  ['with what lay at hand before', [granted(6_400n, 99n, { free: 2n })], SECONDS],
  ['when most is spent', [granted(6_400n, 100n, { spent: 1n })], SECONDS],
  ['when most is leased to others', [granted(6_400n, 100n, { leased: 1n })], SECONDS],
  ['with plenty in one window and little in another', [granted(null, 100n), granted(200n, 100n)], SECONDS],
])('headroom may lie idle: %s', (_, all, expected) => expect(patience(...all)).toBe(expected));
