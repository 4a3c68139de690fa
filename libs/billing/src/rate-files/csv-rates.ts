import { MODEL_PATTERN, modelPattern } from '../rates/rate-card.dto';
import type { StatedClasses, StatedFees, StatedPrice, StatedTier } from '../rates/rate-card';
import type { TokenClass } from '../pricing/token-counts';
import { isServiceTier } from '../pricing/usage';
import { readCsvCells, type Cell } from './csv-cells';
import { exactDecimal, FileFaults, RateFileError, type RateFile } from './rate-file';

type ClassColumns = Readonly<Record<string, TokenClass>>;

const CLASSES: ClassColumns = {
  input: 'input',
  audio_input: 'audioInput',
  cache_read: 'cacheRead',
  cache_write_5m: 'cacheWrite5m',
  cache_write_1h: 'cacheWrite1h',
  output: 'output',
  audio_output: 'audioOutput',
  reasoning: 'reasoning',
};
const FEES: Readonly<Record<string, keyof StatedFees>> = { request_fee: 'request', web_search_fee: 'webSearch' };
const LONG = 'long_';
const ABOVE = 'long_above_tokens';
/** Stands between a service tier's name and a column, as in `priority:input`. */
const OF_TIER = ':';

/** Columns that every service tier may have, the standard one without a name before them. */
const TIER_COLUMNS = [...Object.keys(CLASSES), ABOVE, ...Object.keys(CLASSES).map((name) => LONG + name)];

/** In the order they are documented; a file may have them in any order. */
export const RATE_COLUMNS: readonly string[] = ['model', ...TIER_COLUMNS, ...Object.keys(FEES)];
const REQUIRED = ['model', 'input', 'output'];
const MAX_ABOVE = 1_000_000_000;

/**
 * Reads prices per million tokens from CSV: a line of column names, then one line for each model. An empty field is a class
 * that is not stated.
 * @throws RateFileError
 */
export function readCsvRates(text: string): RateFile {
  const [head, ...rows] = readCsvCells(text);
  if (!head)
    throw new RateFileError([{ problem: 'the file is empty; its first line names the columns', line: 1, column: 1 }]);
  const faults = new FileFaults();
  // Spreadsheets end all lines with as many commas as the longest has.
  const columns = columnsOf(head.slice(0, head.findLastIndex(isFilled) + 1), faults);
  // What stands in columns that are not known cannot be judged.
  faults.refuse();
  const tiers = new Set([...columns.keys()].flatMap((name) => tierIn(name) ?? []));
  const prices = new Map<string, StatedPrice>();
  for (const row of rows) {
    const extra = row.slice(columns.size).find(isFilled);
    if (extra) {
      // The fields before it may be shifted.
      faults.add(`the line has more fields than the ${columns.size} columns`, () => extra);
      continue;
    }
    const line = new Line(row, columns, faults);
    const model = modelOf(line);
    const price = priceOf(line, model?.text ?? '', [...tiers]);
    if (model && prices.has(model.text)) faults.add(`prices "${model.text}" a second time`, () => model);
    prices.set(price.model, price);
  }
  faults.refuse();
  return { prices: [...prices.values()], skipped: [], filtered: 0 };
}

const isFilled = ({ text }: Cell): boolean => text !== '';

function columnsOf(head: readonly Cell[], faults: FileFaults): ReadonlyMap<string, number> {
  const columns = new Map<string, number>();
  for (const [index, cell] of head.entries()) {
    const name = cell.text.toLowerCase();
    if (name.includes(';')) {
      faults.add('the columns must be separated by commas, not by semicolons', () => cell);
      return columns;
    }
    if (!RATE_COLUMNS.includes(name) && tierIn(name) === undefined)
      faults.add(
        `"${cell.text}" is not a column; the columns are ${RATE_COLUMNS.join(', ')}, and those of service tiers such as priority:input`,
        () => cell,
      );
    if (columns.has(name)) faults.add(`the column "${name}" comes a second time`, () => cell);
    columns.set(name, index);
  }
  const missing = REQUIRED.filter((name) => !columns.has(name));
  if (missing.length > 0) faults.add(`the column ${missing.join(' and ')} is missing`, () => head[0] as Cell);
  return columns;
}

/** The service tier that a column is of, if it is of one. */
function tierIn(column: string): string | undefined {
  const [tier = '', name = '', ...rest] = column.split(OF_TIER);
  return isServiceTier(tier) && TIER_COLUMNS.includes(name) && rest.length === 0 ? tier : undefined;
}

/** One line of the file by its column names. */
class Line {
  readonly start: Cell;

  constructor(
    private readonly cells: readonly Cell[],
    private readonly columns: ReadonlyMap<string, number>,
    private readonly faults: FileFaults,
  ) {
    this.start = cells[0] as Cell;
  }

  /** The field if it holds something. */
  cell(name: string): Cell | undefined {
    const cell = this.cells[this.columns.get(name) ?? -1];
    return cell?.text ? cell : undefined;
  }

  /** The same of a field that must. */
  required(name: string): Cell | undefined {
    const cell = this.cell(name);
    if (!cell) this.faulty(this.start, `the field ${name} is empty`);
    return cell;
  }

  /** Goes on, to find what else is wrong; nothing is made of the file in the end. */
  faulty(cell: Cell, problem: string): void {
    this.faults.add(problem, () => cell);
  }
}

function modelOf(line: Line): Cell | undefined {
  const cell = line.required('model');
  if (cell && !MODEL_PATTERN.test(cell.text)) line.faulty(cell, `a model ${modelPattern.message}`);
  return cell;
}

function priceOf(line: Line, model: string, tierNames: readonly string[]): StatedPrice {
  const tiers = tierNames.flatMap((tier): [string, StatedTier][] => {
    const prefix = tier + OF_TIER;
    return TIER_COLUMNS.some((name) => line.cell(prefix + name)) ? [[tier, tierOf(line, prefix)]] : [];
  });
  const fees = Object.entries(FEES).flatMap(([column, fee]): [keyof StatedFees, string][] => {
    const stated = line.cell(column);
    return stated ? [[fee, decimal(line, stated)]] : [];
  });
  return {
    model,
    ...tierOf(line, ''),
    ...(tiers.length > 0 && { tiers: Object.fromEntries(tiers) }),
    ...(fees.length > 0 && { fees: Object.fromEntries(fees) }),
  };
}

function tierOf(line: Line, prefix: string): StatedTier {
  const normal = classesOf(line, prefix);
  const above = line.cell(prefix + ABOVE);
  if (above) return { ...normal, longContext: { aboveTokens: tokens(line, above), ...classesOf(line, prefix + LONG) } };
  const stray = Object.keys(CLASSES)
    .map((name) => line.cell(prefix + LONG + name))
    .find(Boolean);
  if (stray) line.faulty(stray, `a long-context price needs ${prefix}${ABOVE}`);
  return normal;
}

function classesOf(line: Line, prefix: string): StatedClasses {
  const stated = Object.entries(CLASSES).flatMap(([name, tokenClass]): [TokenClass, string][] => {
    const isRequired = tokenClass === 'input' || tokenClass === 'output';
    const cell = isRequired ? line.required(prefix + name) : line.cell(prefix + name);
    return cell ? [[tokenClass, decimal(line, cell)]] : [];
  });
  return Object.fromEntries(stated) as unknown as StatedClasses;
}

function decimal(line: Line, cell: Cell): string {
  const exact = /^[\d.]+$/.test(cell.text) ? exactDecimal(cell.text) : undefined;
  if (exact === undefined)
    line.faulty(cell, `"${cell.text}" is not an exact decimal from 0 to 1000000 with at most 9 decimals, such as 2.50`);
  return exact ?? cell.text;
}

function tokens(line: Line, cell: Cell): number {
  const count = Number(cell.text);
  if (!/^\d{1,10}$/.test(cell.text) || count < 1 || count > MAX_ABOVE)
    line.faulty(cell, `"${cell.text}" is not a whole number of tokens from 1 to ${MAX_ABOVE}`);
  return count;
}
