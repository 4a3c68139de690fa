import { createHash } from 'node:crypto';
import { csvHeader, csvLines, type Column } from '../reports/csv';
import { DETAIL_COLUMNS } from '../reports/layouts';
import { requestId, type DetailRow } from '../reports/usage-record';

/**
 * Why a line stands in a statement: its call was in the period (`usage`), its call was earlier but was booked after the
 * statement before was closed (`late`), or it corrects an earlier line (`correction`).
 */
export type StatementEntry = 'usage' | 'late' | 'correction';

export interface StatementLine extends DetailRow {
  readonly entry: StatementEntry;
  /** The calendar month the call belongs to, `2026-10`. */
  readonly month: string;
}

/** Number of the columns below; it rises when one is renamed, removed or given another meaning. */
export const STATEMENT_SCHEMA = 'statement/1';

export const STATEMENT_COLUMNS: readonly Column<StatementLine>[] = [
  { name: 'entry', cell: ({ entry }) => entry },
  { name: 'month', cell: ({ month }) => month },
  ...DETAIL_COLUMNS,
];

const DIGEST_COLUMNS: readonly Column<{ readonly id: string; readonly digest: string }>[] = [
  { name: 'request_id', cell: ({ id }) => id },
  { name: 'sha256', cell: ({ digest }) => digest },
];

export const STATEMENT_HEADER = csvHeader(STATEMENT_COLUMNS);
export const DIGEST_HEADER = csvHeader(DIGEST_COLUMNS);

/** SHA-256 (hex) of a line as it stands in the file, without its line end. */
export const lineDigest = (line: string): string => createHash('sha256').update(line).digest('hex');

/** A statement's line twice: as the bill has it, and its digest, by which a bill is checked line by line. */
export function writeLine(line: StatementLine): { readonly bill: string; readonly digest: string } {
  const bill = csvLines(STATEMENT_COLUMNS, [line]);
  const digest = csvLines(DIGEST_COLUMNS, [
    { id: requestId(line.id), digest: lineDigest(bill.slice(0, -'\r\n'.length)) },
  ]);
  return { bill, digest };
}
