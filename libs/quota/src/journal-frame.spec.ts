import fc from 'fast-check';
import { frame, frames } from './journal-frame';

const lines = fc
  .array(
    fc.string({ unit: 'binary' }).map((text) => `${text.replaceAll('\n', '')}\n`),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) => Buffer.from(all.join('')).toString());
/** A frame that the next one does not overwrite. */
const framed = (text: string): Buffer => Buffer.from(frame(text));
const read = (bytes: Buffer) => [...frames(bytes)].map(({ lines: found }) => found);

describe('frames', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(lines, { maxLength: 5 }), (written) => {
        expect(read(Buffer.concat(written.map(framed)))).toEqual(written);
      }),
    );
  });

  test('a file cut off at any byte loses only the frame that the cut is in, and nothing is called damaged', () => {
    const written = ['H ä\n', 'H 🙂\nS 1\n', 'R 2\n'].map(framed);
    const ends = written.map((_, index) => Buffer.concat(written.slice(0, index + 1)).length);
    const bytes = Buffer.concat(written);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const found = read(bytes.subarray(0, cut));
      expect(found).not.toContain(null);
      expect(found).toHaveLength(ends.filter((end) => end <= cut).length);
    }
  });

  test('a byte that differs damages its frame and no other, the last one too', () => {
    fc.assert(
      fc.property(
        fc.array(lines, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (written, at, change) => {
          const all = written.map(framed);
          const bytes = Buffer.concat(all);
          const index = at % bytes.length;
          bytes[index] = bytes[index]! ^ change;
          const hit = all.findIndex((_, i) => index < Buffer.concat(all.slice(0, i + 1)).length);
          expect(read(bytes)).toEqual(written.map((text, i) => (i === hit ? null : text)));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('more lines than one piece of memory is kept for are a frame as well', () => {
    const text = `H ${'🙂'.repeat(40_000)}\n`;
    expect(read(Buffer.concat([framed(text), framed('P\n')]))).toEqual([text, 'P\n']);
  });

  test('zeros where a file system had no time to write are the end of the file', () => {
    expect(read(Buffer.concat([framed('P\n'), Buffer.alloc(4_096)]))).toEqual(['P\n']);
  });

  test('what was never a frame is damage', () => {
    expect([...frames(Buffer.from('nonsense that is not short at all\n'))]).toEqual([{ offset: 0, lines: null }]);
  });
});
