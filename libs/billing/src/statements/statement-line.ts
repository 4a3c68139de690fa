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

const COLUMNS: readonly Column<StatementLine>[] = [
  { name: 'entry', cell: ({ entry }) => entry },
  { name: 'month', cell: ({ month }) => month },
  ...DETAIL_COLUMNS,
];

/** Columns that `statement/1` does not have; it has all others, in the same order. */
const ADDED_IN_2: ReadonlySet<string> = new Set([
  'end_user',
  'audio_input_tokens',
  'audio_output_tokens',
  'web_searches',
  'service_tier',
  'list_cost',
  'reason',
]);

const DIGEST_COLUMNS: readonly Column<{ readonly id: string; readonly digest: string }>[] = [
  { name: 'request_id', cell: ({ id }) => id },
  { name: 'sha256', cell: ({ digest }) => digest },
];

export const DIGEST_HEADER = csvHeader(DIGEST_COLUMNS);

/** SHA-256 (hex) of a line as it stands in the file, without its line end. */
export const lineDigest = (line: string): string => createHash('sha256').update(line).digest('hex');

/** How the lines of a statement are written. A statement keeps the form it was closed in. */
export class StatementForm {
  readonly header: string;
  /** The names of the columns, in their order. */
  readonly names: readonly string[];

  constructor(private readonly columns: readonly Column<StatementLine>[]) {
    this.header = csvHeader(columns);
    this.names = columns.map(({ name }) => name);
  }

  /** A line twice: as the bill has it, and its digest, by which a bill is checked line by line. */
  write(line: StatementLine): { readonly bill: string; readonly digest: string } {
    const bill = csvLines(this.columns, [line]);
    const digest = csvLines(DIGEST_COLUMNS, [
      { id: requestId(line.id), digest: lineDigest(bill.slice(0, -'\r\n'.length)) },
    ]);
    return { bill, digest };
  }
}

/** What statements are closed in. Its number rises when a column is renamed, removed, moved or given another meaning. */
export const STATEMENT_SCHEMA = 'statement/2';

const FORMS: ReadonlyMap<string, StatementForm> = new Map([
  ['statement/1', new StatementForm(COLUMNS.filter(({ name }) => !ADDED_IN_2.has(name)))],
  [STATEMENT_SCHEMA, new StatementForm(COLUMNS)],
]);

/** @throws RangeError for a schema of a later version */
export function formOf(schema: string): StatementForm {
  const form = FORMS.get(schema);
  if (!form)
    throw new RangeError(`This version knows statements of ${[...FORMS.keys()].join(' and ')}, not of ${schema}`);
  return form;
}
