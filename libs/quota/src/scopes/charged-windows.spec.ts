import { type ChargedWindow, ChargedWindows } from './charged-windows';
import type { Call } from './scope';

const day = (date: number): Date => new Date(Date.UTC(2026, 10, date));
const window = (id: number, change: Partial<ChargedWindow> = {}): ChargedWindow => ({
  id: String(id),
  tenant_id: 'a',
  scope: 'tenant',
  target: '',
  metric: 'cost',
  starts_at: day(1),
  ends_at: day(2),
  ...change,
});
const call: Call = { tenantId: 'a', lineage: 'tok_1', model: 'claude-opus', user: 'alice' };
const row = (cost: number, windowIds: number[], change: Partial<Call> = {}, at = day(1)) => ({
  atMs: at.getTime(),
  lastMs: at.getTime(),
  call: { ...call, ...change },
  used: { cost: BigInt(cost), tokens: 1n },
  windowIds: windowIds.map(String),
});
const among = (windows: ChargedWindow[], found = windows) => {
  const known = new Map(windows.map((each) => [each.id, each]));
  return new ChargedWindows(
    known,
    found.map(({ id }) => id),
  );
};
const charge = (windows: ChargedWindow[], rows: ReturnType<typeof row>[], found = windows) =>
  among(windows, found)
    .charge(rows)
    .map(({ windowId, held, used }) => [Number(windowId), Number(held), Number(used)]);

describe('rows are charged', () => {
  it('to the windows their holds name, in the metric of each', () => {
    const windows = [window(1), window(2, { metric: 'tokens' }), window(3)];
    expect(charge(windows, [row(10, [1, 2]), row(5, [1])], [])).toEqual([
      [1, 15, 15],
      [2, 1, 1],
    ]);
  });

  it('together where their holds name the same list of windows, as those of a batch do', () => {
    const { windowIds } = row(0, [1, 2, 3]);
    const other = row(7, [3]);
    const rows = [{ ...row(10, []), windowIds }, other, { ...row(5, []), windowIds }, { ...row(2, []), windowIds }];
    expect(charge([window(1), window(2, { metric: 'tokens' }), window(3)], rows, [])).toEqual([
      [1, 17, 17],
      [2, 3, 3],
      [3, 24, 24],
    ]);
  });

  it('once to a window that is named and matches', () => {
    expect(charge([window(1, { scope: 'user', target: 'alice' })], [row(10, [1])])).toEqual([[1, 10, 10]]);
  });

  it.each<[string, Partial<ChargedWindow>, Partial<Call>, boolean]>([
    ['of their end user', { scope: 'user', target: 'alice' }, {}, true],
    ['of another', { scope: 'user', target: 'bob' }, {}, false],
    ['of an end user, when none is named', { scope: 'user', target: 'alice' }, { user: null }, false],
    ['of an end user of another tenant', { scope: 'user', target: 'alice', tenant_id: 'b' }, {}, false],
    ['of their token', { scope: 'token', target: 'tok_1' }, {}, true],
    ['of their model', { scope: 'model', target: 'claude-opus' }, {}, true],
    ['of a pattern that matches', { scope: 'model', target: 'claude-*' }, {}, true],
    ['of one that does not', { scope: 'model', target: 'gpt-*' }, {}, false],
    ['of the organisation', { scope: 'organisation', tenant_id: null }, {}, true],
    ['of the day before', { scope: 'organisation', tenant_id: null, starts_at: day(0), ends_at: day(1) }, {}, false],
    ['of their tenant', {}, {}, true],
    ['of another tenant', { tenant_id: 'b' }, {}, false],
    ["of their tenant's day before", { starts_at: day(0), ends_at: day(1) }, {}, false],
  ])('to windows %s, without a lease to cover it', (_, change, of, isCharged) => {
    expect(charge([window(1, change)], [row(10, [], of)])).toEqual(isCharged ? [[1, 0, 10]] : []);
  });

  it('each by itself where a window that is found by their times begins or ends between them', () => {
    const divide = (found: ChargedWindow[], from: number, to: number): boolean =>
      among([window(1)], found).divide([{ ...row(10, [1]), atMs: from, lastMs: to }]);
    const [begin, end] = [day(1).getTime(), day(2).getTime()];
    expect(divide([], begin - 1, end)).toBe(false);
    expect(divide([window(1)], begin, end - 1)).toBe(false);
    expect(divide([window(1)], begin - 1, begin)).toBe(true);
    expect(divide([window(1)], end - 1, end)).toBe(true);
  });

  it("never to another tenant's window, whatever a journal says", () => {
    expect(charge([window(1, { tenant_id: 'b' })], [row(10, [1])])).toEqual([]);
  });
});
