import fc from 'fast-check';
import { type Charge, heldLine, PROBE_LINE, readLine, releasedLine, settledLine } from './journal-line';
import { replay } from './journal-replay';

const hex = fc.stringMatching(/^[0-9a-f]{32}$/);
const amount = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const charge: fc.Arbitrary<Charge> = fc.record({
  id: hex,
  atMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  tenantId: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,31}$/),
  windows: fc.array(fc.integer({ min: 1 }), { minLength: 1, maxLength: 4 }).map((ids) => ids.join(',')),
  amount: fc.record({ cost: amount, tokens: amount }),
});
const payload = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const one = (id: string): Charge => ({
  id: id.repeat(32),
  atMs: 1,
  tenantId: 'a',
  windows: '1,2',
  amount: { cost: 9n, tokens: 3n },
});

describe('journal lines', () => {
  test('are read as they were written, one line each, whatever the payload', () => {
    fc.assert(
      fc.property(charge, payload, (written, value) => {
        const held = heldLine(written, JSON.stringify(value));
        const settled = settledLine(written, JSON.stringify(value));
        expect(held.indexOf('\n')).toBe(held.length - 1);
        expect(readLine(held.slice(0, -1))).toEqual({ ...written, kind: 'held', draft: value });
        expect(readLine(settled.slice(0, -1))).toEqual({ ...written, kind: 'settled', row: value });
        expect(readLine(releasedLine(written.id).slice(0, -1))).toEqual({ kind: 'released', id: written.id });
      }),
    );
    expect(readLine(PROBE_LINE.slice(0, -1))).toBeNull();
  });

  test('are not read when a single character differs', () => {
    fc.assert(
      fc.property(charge, payload, fc.nat(), fc.constantFrom('0', 'x', ' ', '"'), (written, value, at, character) => {
        const line = settledLine(written, JSON.stringify(value)).slice(0, -1);
        const index = at % line.length;
        if (line[index]?.toLowerCase() === character) return;
        expect(readLine(line.slice(0, index) + character + line.slice(index + 1))).toBeUndefined();
      }),
    );
  });
});

describe('replay', () => {
  test('tells what is settled and what is open', () => {
    const text =
      heldLine(one('a'), JSON.stringify('draft a')) +
      heldLine(one('b'), JSON.stringify('draft b')) +
      heldLine(one('c'), JSON.stringify('draft c')) +
      settledLine({ ...one('a'), amount: { cost: 4n, tokens: 2n } }, JSON.stringify('row a')) +
      PROBE_LINE +
      releasedLine(one('b').id);
    const found = replay([{ name: '1', text }]);
    expect(found.settled).toEqual([{ ...one('a'), amount: { cost: 4n, tokens: 2n }, kind: 'settled', row: 'row a' }]);
    expect(found.open).toEqual([{ ...one('c'), kind: 'held', draft: 'draft c' }]);
    expect(found.damaged).toEqual([]);
  });

  test('a journal cut off at any byte loses only what stands behind the cut', () => {
    const lines = [
      heldLine(one('a'), JSON.stringify('ä')),
      heldLine(one('b'), JSON.stringify('🙂')),
      settledLine(one('a'), JSON.stringify('row')),
      releasedLine(one('b').id),
    ];
    const bytes = Buffer.from(lines.join(''));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const whole = bytes.subarray(0, cut).filter((byte) => byte === 10).length;
      const found = replay([{ name: '1', text: bytes.subarray(0, cut).toString('utf8') }]);
      expect(found.damaged).toEqual([]);
      expect(found.settled).toHaveLength(whole >= 3 ? 1 : 0);
      expect(found.open.map(({ id }) => id[0])).toEqual([[], ['a'], ['a', 'b'], ['b'], []][whole]);
    }
  });

  test('names every line that is damaged, and reads the others', () => {
    const damaged = heldLine(one('b'), JSON.stringify(1)).replace('bbb', 'bcb');
    const found = replay([
      {
        name: '00000001.log',
        text: heldLine(one('a'), JSON.stringify(1)) + damaged + heldLine(one('c'), JSON.stringify(1)),
      },
      { name: '00000002.log', text: `${releasedLine(one('a').id)}half a line` },
      { name: '00000003.log', text: 'nonsense\n' },
    ]);
    expect(found.damaged).toEqual(['00000001.log:2', '00000003.log:1']);
    expect(found.open.map(({ id }) => id[0])).toEqual(['c']);
  });
});
