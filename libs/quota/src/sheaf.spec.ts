import { settledLine } from './journal-line';
import { Attribution } from './scopes/attribution';
import { Sheaf, type Ended } from './sheaf';
import { LeaseSet, WindowLease } from './window-lease';

const lease = (id: bigint): WindowLease => new WindowLease(id, id % 2n === 0n ? 'tokens' : 'cost', 0, 1_000);
const SET = new LeaseSet([lease(1n), lease(2n)]);
const OTHER = new LeaseSet([lease(3n)]);
const ANN = new Attribution('a', { tokenId: 'tok_1', model: 'm', endUser: 'Änn' });
const BEN = new Attribution('b', { tokenId: 'tok_2', model: 'm' });

interface Row extends Ended {
  readonly cost: bigint;
  readonly tokens: bigint;
}
const idOf = (number: number): string => String(number).padStart(32, '0');
const row = (cost: bigint, change: Partial<Row> = {}): Row => ({
  atMs: 500,
  attribution: ANN,
  leases: SET,
  segment: 1,
  cost,
  tokens: 10n * cost,
  ...change,
});

/** Rows with the ids 1, 2, 3, … */
function sheafOf(rows: readonly Row[], entry = '{"note":"Grüße"}'): Sheaf {
  const sheaf = new Sheaf(7);
  rows.forEach((ended, at) => {
    const { atMs, attribution, leases, cost, tokens } = ended;
    const amount = { cost, tokens };
    const charge = { id: idOf(at + 1), atMs, attribution, windows: leases.ids, amount };
    sheaf.add(settledLine(charge, entry), ended, amount);
  });
  return sheaf;
}

const sumsOf = (sheaf: Sheaf): unknown[] =>
  sheaf.sums.map(({ attribution, windowIds, atMs, lastMs, used }) => [
    attribution.tenantId,
    windowIds.join(),
    atMs,
    lastMs,
    used.cost,
    used.tokens,
  ]);

const ROWS = [
  row(1n),
  row(20n, { attribution: BEN, leases: OTHER, atMs: 900, segment: 2 }),
  row(300n, { atMs: 400 }),
  row(4_000n, { leases: OTHER }),
  row(50_000n, { leases: new LeaseSet(SET.leases), atMs: 600, segment: 3 }),
];

describe('a sheaf', () => {
  it('has the lines of its rows as they were, in their order', () => {
    const sheaf = sheafOf(ROWS);
    expect(sheaf.rows).toBe(5);
    expect(sheaf.ids).toEqual([1, 2, 3, 4, 5].map(idOf));
    expect(sheaf.firstId).toBe(idOf(1));
    expect(sheaf.lines.toString().split('\n')[1]).toBe(`S ${idOf(2)} 900 ${BEN.number} 3 20 200 {"note":"Grüße"}`);
    expect([...sheaf.attributions]).toEqual([ANN, BEN]);
    expect([sheaf.has(idOf(5)), sheaf.has(idOf(6))]).toEqual([true, false]);
  });

  it('adds up what they used by attribution and windows, and knows when the first and the last of them began', () => {
    const sums = sumsOf(sheafOf(ROWS));
    expect(sums).toHaveLength(3);
    expect(sums).toEqual(
      expect.arrayContaining([
        ['a', '1,2', 400, 600, 50_301n, 503_010n],
        ['a', '3', 500, 500, 4_000n, 40_000n],
        ['b', '3', 900, 900, 20n, 200n],
      ]),
    );
  });

  it('tells of each by itself', () => {
    expect(sheafOf(ROWS).singly).toEqual(
      ROWS.map(({ atMs, attribution, leases, cost, tokens }) => ({
        atMs,
        lastMs: atMs,
        call: attribution.call,
        used: { cost, tokens },
        windowIds: leases.windowIds,
      })),
    );
  });

  it('takes lines of any length', () => {
    const note = '€'.repeat(5_000);
    const lines = sheafOf(
      Array.from({ length: 30 }, () => row(1n)),
      `{"note":"${note}"}`,
    ).lines.toString();
    expect(lines.split(note)).toHaveLength(31);
  });

  it('can be divided, down to a single row, and nothing of it is lost', () => {
    const pieces = [sheafOf(ROWS)];
    while (pieces.some(({ rows }) => rows > 1)) pieces.push(...(pieces.shift() as Sheaf).halves());
    expect(pieces.map(({ firstId }) => firstId).sort()).toEqual([1, 2, 3, 4, 5].map(idOf));
    expect(pieces.every(({ sinceMs }) => sinceMs === 7)).toBe(true);
    const whole = new Sheaf();
    for (const piece of pieces) piece.each((...each) => whole.add(...each));
    expect(sumsOf(whole)).toEqual(expect.arrayContaining(sumsOf(sheafOf(ROWS))));
    expect(whole.booked()).toEqual(sheafOf(ROWS).booked());
  });

  it('gives those of some ids', () => {
    const some = sheafOf(ROWS).only(new Set([3, 2].map(idOf)));
    expect(some.ids).toEqual([2, 3].map(idOf));
    expect(sumsOf(some)).toEqual([
      ['b', '3', 900, 900, 20n, 200n],
      ['a', '1,2', 400, 400, 300n, 3_000n],
    ]);
  });

  it('lowers the leases its rows were paid from, and says which segments need them no more', () => {
    for (const { leases } of [SET, OTHER]) for (const each of leases) each.total = 1_000_000n;
    expect(sheafOf(ROWS).booked()).toEqual(
      new Map([
        [1, 3],
        [2, 1],
        [3, 1],
      ]),
    );
    expect([...SET.leases, ...OTHER.leases].map(({ total }) => 1_000_000n - total)).toEqual([
      50_301n,
      503_010n,
      4_020n,
    ]);
  });
});
