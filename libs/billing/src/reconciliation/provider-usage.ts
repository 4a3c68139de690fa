import { cellsOf, csvRecords } from '../statements/csv-records';

/** Tokens as both sides can be compared: what a provider does not tell apart is added up. */
export interface ComparedTokens {
  /** Of the prompt and not from a cache. OpenAI counts what was written to a cache in here. */
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** Reasoning included. */
  readonly output: number;
}

export interface DayUse extends ComparedTokens {
  /** In UTC, as providers count days. */
  readonly day: string;
  readonly model: string;
  /** `null` where the export does not tell. */
  readonly requests: number | null;
}

/** A column of one line, by name; numbers may be left empty for none. */
export interface Line {
  readonly text: (column: string) => string;
  /** @throws RangeError */
  readonly number: (column: string) => number;
  /** The same of a line that may take something back. @throws RangeError */
  readonly signed: (column: string) => number;
  /** What begins with a day, such as `2026-10-24T00:00:00Z`. @throws RangeError */
  readonly day: (column: string) => string;
  /** The day of a moment in seconds since 1970. @throws RangeError */
  readonly dayOfSeconds: (column: string) => string;
}

/** A provider's usage export, told by its columns. */
interface ExportLayout {
  readonly provider: 'openai' | 'anthropic';
  readonly columns: readonly string[];
  /** Where the model stands. */
  readonly model: string;
  readonly read: (line: Line) => DayUse;
}

/**
 * The columns these files have in 2026; others are ignored.
 * OpenAI: platform.openai.com/usage, Export, "Activity"; the names are those of its usage API
 * (/v1/organization/usage/completions). Anthropic: platform.claude.com, Usage, Export.
 */
const LAYOUTS: readonly ExportLayout[] = [
  {
    provider: 'openai',
    columns: ['start_time', 'model', 'num_model_requests', 'input_tokens', 'input_cached_tokens', 'output_tokens'],
    model: 'model',
    read: ({ text, number, dayOfSeconds }) => ({
      day: dayOfSeconds('start_time'),
      model: text('model'),
      requests: number('num_model_requests'),
      input: number('input_tokens') - number('input_cached_tokens'),
      cacheRead: number('input_cached_tokens'),
      cacheWrite: 0,
      output: number('output_tokens'),
    }),
  },
  {
    provider: 'anthropic',
    columns: [
      'usage_date_utc',
      'model_version',
      'usage_input_tokens_no_cache',
      'usage_input_tokens_cache_write_5m',
      'usage_input_tokens_cache_write_1h',
      'usage_input_tokens_cache_read',
      'usage_output_tokens',
    ],
    model: 'model_version',
    read: ({ text, number, day }) => ({
      day: day('usage_date_utc'),
      model: text('model_version'),
      requests: null,
      input: number('usage_input_tokens_no_cache'),
      cacheRead: number('usage_input_tokens_cache_read'),
      cacheWrite: number('usage_input_tokens_cache_write_5m') + number('usage_input_tokens_cache_write_1h'),
      output: number('usage_output_tokens'),
    }),
  },
];

/** Of what providers can have counted; milliseconds are far beyond. */
const [EARLIEST_S, LATEST_S] = ['2015-01-01', '2200-01-01'].map((at) => Date.parse(at) / 1_000) as [number, number];

export interface ProviderExport {
  readonly provider: ExportLayout['provider'];
  readonly uses: readonly DayUse[];
}

/** Reads an export; a bucket without a model is one in which nothing was used, or a sum that somebody has added. @throws RangeError that names line and column */
export async function readProviderExport(file: AsyncIterable<string>): Promise<ProviderExport> {
  let layout: ExportLayout | undefined;
  const uses: DayUse[] = [];
  for await (const { columns, line } of linesOf(file)) {
    layout ??= LAYOUTS.find((each) => each.columns.every((column) => columns.includes(column)));
    if (!layout) break;
    if (line.text(layout.model) !== '') uses.push(layout.read(line));
  }
  if (!layout)
    throw new RangeError('the usage export has no lines, or not the columns of a usage export of OpenAI or Anthropic');
  return { provider: layout.provider, uses };
}

/** The lines of a CSV with a header, by the names of its columns. */
export async function* linesOf(
  file: AsyncIterable<string>,
): AsyncGenerator<{ readonly columns: readonly string[]; readonly line: Line }> {
  let columns: readonly string[] = [];
  for await (const { number: lineNumber, text: record } of csvRecords(file)) {
    const cells = cellsOf(record);
    if (lineNumber === 1) {
      columns = cells.map((name) => name.replace(/^\ufeff/, '').trim());
      continue;
    }
    if (record === '') continue;
    const text = (column: string): string => cells[columns.indexOf(column)] ?? '';
    const wrong = (column: string, what: string): RangeError =>
      new RangeError(`line ${lineNumber}: "${text(column)}" in the column ${column} is ${what}`);
    const signed = (column: string): number => {
      const cell = text(column);
      // Spreadsheets and scripts turn counts into decimals such as 3.0.
      if (!/^(-?\d{1,15}(\.0+)?)?$/.test(cell)) throw wrong(column, 'no count');
      return Number(cell);
    };
    const number = (column: string): number => {
      if (text(column).startsWith('-')) throw wrong(column, 'no count');
      return signed(column);
    };
    const day = (column: string): string => {
      // A spreadsheet that has saved the file writes days its own way, and then none of them would be ours.
      if (!/^\d{4}-\d\d-\d\d(T|\s|$)/.test(text(column))) throw wrong(column, 'no day such as 2026-10-24');
      return text(column).slice(0, 10);
    };
    const dayOfSeconds = (column: string): string => {
      const seconds = number(column);
      if (seconds < EARLIEST_S || seconds > LATEST_S) throw wrong(column, 'no moment in seconds');
      return new Date(seconds * 1_000).toISOString().slice(0, 10);
    };
    yield { columns, line: { text, number, signed, day, dayOfSeconds } };
  }
}
