import fc from 'fast-check';
import { frame } from './journal-frame';
import {
  attributionLine,
  type Charge,
  heldLine,
  PROBE_LINE,
  readLine,
  releasedLine,
  settledLine,
} from './journal-line';
import { replay } from './journal-replay';
import { Attribution } from './scopes/attribution';

const attribution = new Attribution('a', { tokenId: 'tok', model: 'm', subject: 'Zoë\n\u2028' });
const NUMBER = attribution.number;
const known = new Map([[NUMBER, attribution]]);
const hex = fc.stringMatching(/^[0-9a-f]{32}$/);
const amount = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const charge: fc.Arbitrary<Charge> = fc.record({
  id: hex,
  atMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  attribution: fc.constant(attribution),
  windows: fc.array(fc.integer({ min: 1 }), { maxLength: 4 }).map((ids) => ids.join(',')),
  amount: fc.record({ cost: amount, tokens: amount }),
});
/** With what ends a line in Unicode, and not in JSON. */
const payload = fc
  .jsonValue()
  .map((value) => JSON.parse(JSON.stringify({ value, ends: '\u2028\u2029\r\n' })) as unknown);
const one = (id: string): Charge => ({
  id: id.repeat(32),
  atMs: 1,
  attribution,
  windows: '1,2',
  amount: { cost: 9n, tokens: 3n },
});
const held = (id: string, draft: unknown = 1): string => heldLine(one(id), JSON.stringify(draft));
const INTRODUCED = attributionLine(attribution);
/** A frame that the next one does not overwrite. */
const framed = (text: string): Buffer => Buffer.from(frame(text));
const segment = (name: string, ...written: string[]) => ({ name, bytes: Buffer.concat(written.map(framed)) });

describe('journal lines', () => {
  test('are read as they were written, one line each, whatever the payload', () => {
    fc.assert(
      fc.property(charge, payload, (written, value) => {
        const lines = [
          heldLine(written, JSON.stringify(value)),
          settledLine(written, JSON.stringify(value)),
          releasedLine(written.id),
          INTRODUCED,
        ];
        for (const line of lines) expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(lines.map((line) => readLine(line.slice(0, -1), known))).toEqual([
          { ...written, kind: 'held', draft: value },
          { ...written, kind: 'settled', row: value },
          { kind: 'released', id: written.id },
          { kind: 'attribution', number: NUMBER, attribution },
        ]);
      }),
    );
    expect(readLine(PROBE_LINE.slice(0, -1), known)).toBeNull();
  });

  test('say nothing without the attribution they name', () => {
    expect(readLine(held('a').slice(0, -1), new Map())).toBeUndefined();
  });
});

describe('replay', () => {
  test('tells what is settled and what is open', () => {
    const settled = { ...one('a'), amount: { cost: 4n, tokens: 2n } };
    const found = replay([
      segment(
        '1',
        INTRODUCED + held('a') + held('b'),
        held('c', 'draft c') + settledLine(settled, JSON.stringify('row a')),
        PROBE_LINE,
        releasedLine(one('b').id),
      ),
    ]);
    expect(found.settled).toEqual([{ ...settled, kind: 'settled', row: 'row a' }]);
    expect(found.open).toEqual([{ ...one('c'), kind: 'held', draft: 'draft c' }]);
    expect(found.damaged).toEqual([]);
  });

  test('names everything that is damaged, and reads the rest', () => {
    const first = segment('00000001.log', INTRODUCED + held('a'), held('b'), held('c'));
    first.bytes[first.bytes.indexOf('bbb')] = 0x64;
    const found = replay([
      first,
      {
        ...segment('00000002.log', releasedLine(one('a').id)),
        bytes: Buffer.concat([framed(releasedLine(one('a').id)), Buffer.from('half a')]),
      },
      { name: '00000003.log', bytes: Buffer.from('nonsense, and not a short one\n') },
      segment('00000004.log', `${held('e')}X 1\n`),
    ]);
    const second = frame(INTRODUCED + held('a')).length;
    expect(found.damaged).toEqual([`00000001.log:${second}`, '00000003.log:0', '00000004.log:0:2']);
    expect(found.open.map(({ id }) => id[0])).toEqual(['c', 'e']);
  });
});
