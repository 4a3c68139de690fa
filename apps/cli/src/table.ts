export type Cell = string | number | boolean | null | undefined;

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => Cell;
  /** Numbers stand right, so that their digits line up. */
  readonly right?: boolean;
}

/**
 * Makes text from elsewhere harmless to a terminal. Names and paths may come from anybody, also from a caller that was
 * refused, and an escape sequence could rewrite what the reader sees.
 */
export const printable = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export const cell = (value: Cell): string =>
  value === null || value === undefined || value === '' ? '-' : printable(String(value));

/** An amount with its currency, where there is one already. */
export const money = (amount: string, currency: string | null): string =>
  currency === null ? amount : `${amount} ${currency}`;

/** Aligned columns under capital titles, two spaces apart, no trailing space. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ of }) => cell(of(row))));
  const titles = columns.map(({ title }) => title.toUpperCase());
  const widths = titles.map((title, n) => Math.max(title.length, ...cells.map((line) => line[n]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, n) => (columns[n]?.right ? text.padStart(widths[n] ?? 0) : text.padEnd(widths[n] ?? 0)))
      .join('  ')
      .trimEnd();
  return [titles, ...cells].map((texts) => `${line(texts)}\n`).join('');
}

/** One fact a line, values aligned. */
export function facts(pairs: readonly (readonly [string, Cell])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${cell(value)}\n`).join('');
}
