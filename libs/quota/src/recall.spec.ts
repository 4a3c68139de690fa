import { firstOf, givesWay, type Recall, recallOf, recallText } from './recall';
import { WindowLease } from './window-lease';

const recall = (more: Partial<Recall> = {}): Recall => ({ windowId: 7n, processId: 'b', inUse: 20n, ...more });

const leaseOf = (inUse: bigint, free: bigint): WindowLease => {
  const lease = new WindowLease(7n, 'cost', 0, 1);
  [lease.total, lease.free] = [inUse + free, free];
  return lease;
};

describe('a recall', () => {
  test('comes through the change feed as it was', () => {
    expect(recallOf(recallText(recall()))).toEqual(recall());
  });

  test('is met by a process that has more, and not by one that has alike or less', () => {
    expect(givesWay(leaseOf(0n, 10n), recall({ inUse: 0n }))).toBe(true);
    expect(givesWay(leaseOf(20n, 10n), recall())).toBe(true);
    expect(givesWay(leaseOf(10n, 10n), recall())).toBe(false);
    expect(givesWay(leaseOf(0n, 10n), recall())).toBe(false);
    expect(givesWay(leaseOf(50n, 0n), recall())).toBe(false);
  });

  test('goes round what only one can have, also where its holds are of other sizes', () => {
    expect(givesWay(leaseOf(0n, 50n), recall())).toBe(true);
    expect(givesWay(leaseOf(0n, 30n), recall())).toBe(false);
  });

  test('does not count what is about to be given back', () => {
    const lease = leaseOf(10n, 10n);
    lease.total += 100n;
    lease.leaving += 100n;
    expect(givesWay(lease, recall())).toBe(false);
  });

  test('is met before that of a process which has more, until it is over', () => {
    const first = firstOf(null, recall(), 1_000);
    expect(first).toEqual({ ...recall(), untilMs: 1_500 });
    expect(firstOf(first, recall({ processId: 'c', inUse: 30n }), 1_499)).toBe(first);
    expect(firstOf(first, recall({ processId: 'c', inUse: 10n }), 1_499)).toMatchObject({ processId: 'c' });
    expect(firstOf(first, recall({ processId: 'c', inUse: 30n }), 1_500)).toMatchObject({ processId: 'c' });
    expect(firstOf(first, recall({ processId: 'c', inUse: 30n, windowId: 8n }), 1_499)).toMatchObject({ windowId: 8n });
  });

  test('takes the place of what the same process asked before', () => {
    const first = firstOf(null, recall({ inUse: 0n }), 1_000);
    expect(firstOf(first, recall(), 1_200)).toEqual({ ...recall(), untilMs: 1_700 });
  });
});
