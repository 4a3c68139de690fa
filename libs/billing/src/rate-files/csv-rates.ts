import { MODEL_PATTERN, modelPattern } from '../rates/rate-card.dto';
import type { StatedClasses, StatedPrice } from '../rates/rate-card';
import type { TokenClass } from '../pricing/token-counts';
import { readCsvCells, type Cell } from './csv-cells';
import { exactDecimal, RateFileError, type RateFile } from './rate-file';

type ClassColumns = Readonly<Record<string, TokenClass>>;

const NORMAL: ClassColumns = {
  input: 'input',
  cache_read: 'cacheRead',
  cache_write_5m: 'cacheWrite5m',
  cache_write_1h: 'cacheWrite1h',
  output: 'output',
  reasoning: 'reasoning',
};
const LONG: ClassColumns = {
  long_input: 'input',
  long_cache_read: 'cacheRead',
  long_cache_write_5m: 'cacheWrite5m',
  long_cache_write_1h: 'cacheWrite1h',
  long_output: 'output',
  long_reasoning: 'reasoning',
};
const ABOVE = 'long_above_tokens';

/** In the order they are documented; a file may have them in any order. */
export const RATE_COLUMNS: readonly string[] = ['model', ...Object.keys(NORMAL), ABOVE, ...Object.keys(LONG)];
const REQUIRED = ['model', 'input', 'output'];
const MAX_ABOVE = 1_000_000_000;

/**
 * Reads prices per million tokens from CSV: a line of column names, then one line for each model. An empty field is a class
 * that is not stated.
 * @throws RateFileError
 */
export function readCsvRates(text: string): RateFile {
  const [head, ...rows] = readCsvCells(text);
  if (!head) throw new RateFileError('the file is empty; its first line names the columns', 1, 1);
  const columns = columnsOf(head);
  const prices = new Map<string, StatedPrice>();
  for (const row of rows) {
    const { price, cell } = priceOf(new Line(row, columns));
    if (prices.has(price.model)) throw faulty(cell, `prices "${price.model}" a second time`);
    prices.set(price.model, price);
  }
  return { prices: [...prices.values()], skipped: [], filtered: 0 };
}

function columnsOf(head: readonly Cell[]): ReadonlyMap<string, number> {
  const columns = new Map<string, number>();
  for (const [index, cell] of head.entries()) {
    const name = cell.text.toLowerCase();
    if (name.includes(';')) throw faulty(cell, 'the columns must be separated by commas, not by semicolons');
    if (!RATE_COLUMNS.includes(name))
      throw faulty(cell, `"${cell.text}" is not a column; the columns are ${RATE_COLUMNS.join(', ')}`);
    if (columns.has(name)) throw faulty(cell, `the column "${name}" comes a second time`);
    columns.set(name, index);
  }
  const missing = REQUIRED.filter((name) => !columns.has(name));
  if (missing.length > 0) throw faulty(head[0] as Cell, `the column ${missing.join(' and ')} is missing`);
  return columns;
}

/** One line of the file by its column names. */
class Line {
  readonly start: Cell;

  constructor(
    private readonly cells: readonly Cell[],
    private readonly columns: ReadonlyMap<string, number>,
  ) {
    this.start = cells[0] as Cell;
    const extra = cells[columns.size];
    if (extra) throw faulty(extra, `the line has more fields than the ${columns.size} columns`);
  }

  /** The field if it holds something. */
  cell(name: string): Cell | undefined {
    const cell = this.cells[this.columns.get(name) ?? -1];
    return cell?.text ? cell : undefined;
  }

  required(name: string): Cell {
    const cell = this.cell(name);
    if (!cell) throw faulty(this.start, `the field ${name} is empty`);
    return cell;
  }
}

function priceOf(line: Line): { price: StatedPrice; cell: Cell } {
  const cell = line.required('model');
  if (!MODEL_PATTERN.test(cell.text)) throw faulty(cell, `a model ${modelPattern.message}`);
  const price = { model: cell.text, ...classesOf(line, NORMAL) };
  const above = line.cell(ABOVE);
  if (above)
    return { cell, price: { ...price, longContext: { aboveTokens: tokens(above), ...classesOf(line, LONG) } } };
  const stray = Object.keys(LONG)
    .map((name) => line.cell(name))
    .find(Boolean);
  if (stray) throw faulty(stray, `a long-context price needs ${ABOVE}`);
  return { cell, price };
}

function classesOf(line: Line, columns: ClassColumns): StatedClasses {
  const stated = Object.entries(columns).flatMap(([column, tokenClass]): [TokenClass, string][] => {
    const isRequired = tokenClass === 'input' || tokenClass === 'output';
    const cell = isRequired ? line.required(column) : line.cell(column);
    return cell ? [[tokenClass, decimal(cell)]] : [];
  });
  return Object.fromEntries(stated) as unknown as StatedClasses;
}

function decimal(cell: Cell): string {
  const exact = /^[\d.]+$/.test(cell.text) ? exactDecimal(cell.text) : undefined;
  if (exact !== undefined) return exact;
  throw faulty(cell, `"${cell.text}" is not an exact decimal from 0 to 1000000 with at most 9 decimals, such as 2.50`);
}

function tokens(cell: Cell): number {
  const count = Number(cell.text);
  if (/^\d{1,10}$/.test(cell.text) && count >= 1 && count <= MAX_ABOVE) return count;
  throw faulty(cell, `"${cell.text}" is not a whole number of tokens from 1 to ${MAX_ABOVE}`);
}

const faulty = ({ line, column }: Cell, problem: string): RateFileError => new RateFileError(problem, line, column);
