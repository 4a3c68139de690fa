import { stringify } from 'csv-stringify/sync';

/** A column of a report: its name, which is part of the schema, and its cell. `text` was written by people or providers. */
export interface Column<Row> {
  readonly name: string;
  readonly text?: true;
  readonly cell: (row: Row) => string | null;
}

/** RFC 4180, section 2: lines end with CRLF; cells with separators, quotes, or either half of a CRLF are quoted. */
const RFC4180 = { record_delimiter: '\r\n', quote_record_delimiter: true } as const;

export const csvHeader = (columns: readonly Column<never>[]): string =>
  stringify([columns.map(({ name }) => name)], RFC4180);

/** Lines of rows. An empty cell means "none". */
export const csvLines = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string =>
  stringify(
    rows.map((row) => columns.map(({ cell, text }) => (text ? disarm(cell(row)) : cell(row)))),
    RFC4180,
  );

/**
 * A spreadsheet takes text that begins with one of `= + - @ TAB CR` for a formula and may run it, so an apostrophe goes before
 * it. One also goes before text that already looks disarmed: to have the original back, take one apostrophe away
 * wherever apostrophes are followed by one of those.
 */
const disarm = (text: string | null): string | null =>
  text !== null && /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;

/** Takes back what `disarm` did. */
export const original = (cell: string): string => (/^'+[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell);
