import { formatNanos, MOST_FAULTS, NANOS_PER_UNIT } from '@app/platform';
import type { StatedExchange, StatedMarkup, StatedPrice } from '../rates/rate-card';

/** Layouts a price list may come in. */
export const RATE_FILE_FORMATS = ['yaml', 'csv', 'litellm'] as const;
export type RateFileFormat = (typeof RATE_FILE_FORMATS)[number];

/** An entry of a file that a card cannot say, and why not. */
export interface SkippedEntry {
  readonly model: string;
  readonly reason: string;
}

/** What a file says; what it leaves open is for the caller to decide. */
export interface RateFile {
  readonly effectiveAt?: Date | undefined;
  /** What the card bills in. */
  readonly currency?: string | undefined;
  /** What the prices are stated in, where the format tells and says nothing of bills. */
  readonly pricesIn?: string | undefined;
  readonly exchange?: StatedExchange | undefined;
  readonly markups?: readonly StatedMarkup[] | undefined;
  readonly note?: string | undefined;
  /** Each model or pattern once. */
  readonly prices: readonly StatedPrice[];
  readonly skipped: readonly SkippedEntry[];
  /** How many entries the caller's filters left out. */
  readonly filtered: number;
}

/** A place in a file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface FileFault extends Place {
  readonly problem: string;
}

/** A file that cannot be read as what it is said to be. */
export class RateFileError extends Error {
  /** @param uncounted how many more faults there are than those given */
  constructor(
    readonly faults: readonly FileFault[],
    readonly uncounted = 0,
  ) {
    super(faults.map(({ line, column, problem }) => `line ${line}, column ${column}: ${problem}`).join('\n'));
    this.name = 'RateFileError';
  }
}

/** Gathers what is wrong with a file, so that all of it is told at once. */
export class FileFaults {
  readonly #named: FileFault[] = [];
  #count = 0;

  /** @param find asked only for those that are named: a file can have more faults than it has lines */
  add(problem: string, find: () => Place): void {
    if (this.#count++ >= MOST_FAULTS) return;
    const { line, column } = find();
    this.#named.push({ problem, line, column });
  }

  /** @throws RateFileError if anything was added */
  refuse(): void {
    if (this.#count > 0) throw this.error;
  }

  /** In the order of the file. */
  get error(): RateFileError {
    const named = this.#named.toSorted((a, b) => a.line - b.line || a.column - b.column);
    return new RateFileError(named, this.#count - named.length);
  }
}

/** Line and column of an offset, for people. */
export function placeOf(text: string, offset: number): Place {
  let [line, start] = [1, 0];
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', start)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}

const MAX_PRICE_NANOS = 1_000_000n * NANOS_PER_UNIT;
const NUMBER = /^(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * A number times ten to the power of `shift`, from its digits and without a float in between: `1.5e-07` shifted by 6 is `0.15`.
 * @returns undefined for what a card cannot hold exactly: negative, above a million, or more than nine decimals
 */
export function exactDecimal(digits: string, shift = 0): string | undefined {
  const match = NUMBER.exec(digits);
  if (!match) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const power = Number(exponent) - fraction.length + shift + 9;
  const coefficient = BigInt(whole + fraction);
  const divisor = 10n ** BigInt(Math.max(0, -power));
  const nanos = (coefficient * 10n ** BigInt(Math.max(0, power))) / divisor;
  return coefficient % divisor === 0n && nanos <= MAX_PRICE_NANOS ? formatNanos(nanos) : undefined;
}
