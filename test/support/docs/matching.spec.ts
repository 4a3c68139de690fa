import { difference } from './matching';

const lines = (text: string): string[] => text.split('\n');

test.each([
  ['the same', 'a  b\nc', 'a  b\nc'],
  ['space and empty lines at the end', 'a', 'a  \n\n'],
  ['ids', `tok_${'0'.repeat(32)} x`, `tok_${'0199f3a0c0de7000800000000000cafe'} x`],
  ['hashes', `#3 ${'0'.repeat(64)}`, `#3 ${'af'.repeat(32)}`],
  [
    'instants, days and months',
    '2026-01-01T00:00:00.000Z 2026-01-01 2026-01',
    '2031-12-24T01:02:03Z 2031-12-24 2031-12',
  ],
  ['numbers that name a moment', '"created":1795346276,"x":1', '"created":1895346276,"x":1'],
  ['left-out lines', 'a\n…\nd', 'a\nb\nc\nd'],
  ['left-out lines that are none', 'a\n…\nd', 'a\nd'],
  ['left-out lines at both ends', '…\nb\n…', 'a\nb\nc'],
  ['left-out text', '{"a":…,"d":1}', '{"a":"b?","c":2,"d":1}'],
])('%s is no difference', (_, said, printed) => expect(difference(lines(said), lines(printed))).toBeNull());

test.each([
  ['another text', 'a\nb', 'a\nc'],
  ['a missing line', 'a\nb', 'a'],
  ['a line too many', 'a', 'a\nb'],
  ['an amount', '0.0000289 USD', '0.0000290 USD'],
  ['a count', '#33  admin', '#34  admin'],
  ['an id of the wrong length', `tok_${'0'.repeat(32)}`, `tok_${'0'.repeat(31)}`],
  ['what stands behind left-out lines', 'a\n…\nd', 'a\nb\nc'],
  ['what stands around left-out text', 'a…c', 'abd'],
  ['a character that is special in patterns', 'a.c…', 'abc'],
])('%s is one', (_, said, printed) => expect(difference(lines(said), lines(printed))).not.toBeNull());

test('a difference shows what was said and what was printed from where they part', () => {
  expect(difference(['a', 'b', 'c'], ['a', 'x', 'c'])).toBe('    a\n  - b\n  - c\n  + x\n  + c');
  expect(difference(['a'], ['a', 'b'])).toBe('    a\n  + b');
});
