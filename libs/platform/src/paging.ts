import { CodedError } from './errors/coded-error';

/** One page of a listing in keyset order. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Give it back as `cursor` for the next page; `null` on the last. */
  readonly nextCursor: string | null;
}

export const MAX_PAGE = 200;
export const DEFAULT_PAGE = 50;

/** Encodes the sort key of the last row of a page. Opaque to callers, so that the key may change. */
export const encodeCursor = (key: readonly string[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/** @throws CodedError `cursor_invalid` unless the cursor holds exactly `parts` strings. */
export function decodeCursor(cursor: string, parts: number): string[] {
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw new CodedError('cursor_invalid');
  }
  if (!Array.isArray(key) || key.length !== parts || !key.every((k) => typeof k === 'string'))
    throw new CodedError('cursor_invalid');
  return key;
}

/** Cuts a page out of `limit + 1` fetched rows: the extra row only tells that there is a next page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly string[],
  map: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(map),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null,
  };
}
