import fc from 'fast-check';
import type { PromptRow } from '../prompts.queries';
import { readRows, writeRow } from './spooled-row';

const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));
const row: fc.Arbitrary<PromptRow> = fc.record({
  requestId: fc.string(),
  tenantId: fc.string(),
  at: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }),
  tokenId: fc.string(),
  model: fc.string({ unit: 'binary' }),
  api: fc.string(),
  status: fc.nat(),
  requestBytes: fc.nat(),
  answerBytes: fc.nat(),
  isWhole: fc.boolean(),
  keyId: fc.string(),
  wrappedKey: bytes,
  sealed: bytes,
});
const rows = fc.array(row, { minLength: 1, maxLength: 4 });

test('rows are read as they were written', () => {
  fc.assert(
    fc.property(rows, (written) => {
      expect(readRows(Buffer.concat(written.map(writeRow)))).toEqual({ rows: written, isDamaged: false });
    }),
  );
});

test('cut off at any byte, or followed by zeros, the rows before are whole', () => {
  fc.assert(
    fc.property(rows, fc.nat(), fc.boolean(), (written, at, zeros) => {
      const all = written.map(writeRow);
      const file = Buffer.concat(all);
      const cut = at % (file.length + 1);
      const ends = all.map((_, index) => Buffer.concat(all.slice(0, index + 1)).length);
      const whole = ends.filter((end) => end <= cut).length;
      const rest = zeros && ends.includes(cut) ? Buffer.alloc(4_096) : Buffer.alloc(0);
      expect(readRows(Buffer.concat([file.subarray(0, cut), rest]))).toEqual({
        rows: written.slice(0, whole),
        isDamaged: false,
      });
    }),
  );
});

test('a row that was altered is not given, nor what stands behind it', () => {
  const [first, second] = fc.sample(rows, { numRuns: 1, seed: 1 })[0]?.flatMap((one) => [one, one]) ?? [];
  const file = Buffer.concat([first, second, first].map((one) => writeRow(one as PromptRow)));
  const middle = writeRow(first as PromptRow).length + 12;
  file[middle] = (file[middle] as number) ^ 1;
  expect(readRows(file)).toEqual({ rows: [first], isDamaged: true });
});
