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
}

/** A provider's usage export, told by its columns. */
interface ExportLayout {
  readonly provider: 'openai' | 'anthropic';
  readonly columns: readonly string[];
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
    read: ({ text, number }) => ({
      day: new Date(number('start_time') * 1_000).toISOString().slice(0, 10),
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
    read: ({ text, number }) => ({
      day: text('usage_date_utc').slice(0, 10),
      model: text('model_version'),
      requests: null,
      input: number('usage_input_tokens_no_cache'),
      cacheRead: number('usage_input_tokens_cache_read'),
      cacheWrite: number('usage_input_tokens_cache_write_5m') + number('usage_input_tokens_cache_write_1h'),
      output: number('usage_output_tokens'),
    }),
  },
];

export interface ProviderExport {
  readonly provider: ExportLayout['provider'];
  readonly uses: readonly DayUse[];
}

/** Reads an export; a bucket without a model is one in which nothing was used. @throws RangeError that names line and column */
export async function readProviderExport(file: AsyncIterable<string>): Promise<ProviderExport> {
  let layout: ExportLayout | undefined;
  const uses: DayUse[] = [];
  for await (const { columns, line } of linesOf(file)) {
    layout ??= LAYOUTS.find((each) => each.columns.every((column) => columns.includes(column)));
    if (!layout) break;
    const use = layout.read(line);
    if (use.model !== '') uses.push(use);
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
    const signed = (column: string): number => {
      const cell = text(column);
      // Spreadsheets and scripts turn counts into decimals such as 3.0.
      if (!/^(-?\d{1,15}(\.0+)?)?$/.test(cell))
        throw new RangeError(`line ${lineNumber}: "${cell}" in the column ${column} is no count`);
      return Number(cell);
    };
    const number = (column: string): number => {
      if (text(column).startsWith('-'))
        throw new RangeError(`line ${lineNumber}: "${text(column)}" in the column ${column} is no count`);
      return signed(column);
    };
    yield { columns, line: { text, number, signed } };
  }
}
