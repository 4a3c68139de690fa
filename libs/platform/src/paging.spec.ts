import * as fc from 'fast-check';
import { CodedError } from './errors/coded-error';
import { decodeCursor, encodeCursor, pageOf, type Page } from './paging';

const encoded = (text: string): string => Buffer.from(text).toString('base64url');

describe('a cursor', () => {
  it('brings back the key it was made of and is safe in a URL', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }), (key) => {
        const cursor = encodeCursor(key);
        expect(decodeCursor(cursor, key.length)).toEqual(key);
        expect(encodeURIComponent(cursor)).toBe(cursor);
      }),
    );
  });

  it.each([
    ['is empty', ''],
    ['is not base64', '%%%'],
    ['is cut short', encodeCursor(['2026-01-01', 'id']).slice(0, -4)],
    ['was made for more parts', encodeCursor(['a', 'b', 'c'])],
    ['was made for fewer parts', encodeCursor(['a'])],
    ['holds a number', encoded('["a",1]')],
    ['holds null', encoded('["a",null]')],
    ['holds a list', encoded('["a",["b"]]')],
    ['is a map', encoded('{"0":"a","1":"b","length":2}')],
    ['is a string', encoded('"ab"')],
    ['is null', encoded('null')],
  ])('is refused when it %s', (_, cursor) => {
    expect(() => decodeCursor(cursor, 2)).toThrow(expect.objectContaining({ code: 'cursor_invalid' }));
  });

  it('is refused with a coded error or read as strings, whatever is sent', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json().map(encoded)), fc.nat(3), (cursor, parts) => {
        try {
          const key = decodeCursor(cursor, parts);
          expect(key).toHaveLength(parts);
          expect(key.every((part) => typeof part === 'string')).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(CodedError);
        }
      }),
    );
  });
});

describe('a page', () => {
  const rows = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
  const page = (count: number, limit: number) =>
    pageOf(
      rows(count),
      limit,
      (row) => [String(row)],
      (row) => `row ${row}`,
    );

  it('has no next one when there is no row beyond it', () => {
    expect(page(0, 2)).toEqual({ items: [], nextCursor: null });
    expect(page(2, 2)).toEqual({ items: ['row 1', 'row 2'], nextCursor: null });
  });

  it('does not show the extra row and continues behind the last shown', () => {
    expect(page(3, 2)).toEqual({ items: ['row 1', 'row 2'], nextCursor: encodeCursor(['2']) });
  });

  it('lets a reader see every row once', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.integer({ min: 1, max: 7 }), (count, limit) => {
        const seen: number[] = [];
        for (let after: string | null = encodeCursor(['0']); after !== null;) {
          const from = Number(decodeCursor(after, 1)[0]);
          const next: Page<number> = pageOf(
            rows(count)
              .filter((row) => row > from)
              .slice(0, limit + 1),
            limit,
            (row) => [String(row)],
            (row) => row,
          );
          seen.push(...next.items);
          after = next.nextCursor;
        }
        expect(seen).toEqual(rows(count));
      }),
    );
  });
});
