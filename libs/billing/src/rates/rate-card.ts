import { createHash } from 'node:crypto';
import { formatNanos, parseNanos } from '@app/platform';
import type { ModelPrice } from '../pricing/pricing';
import type { TokenClass } from '../pricing/token-counts';

/** One version of the price list, as the hot path needs it. */
export interface RateCard {
  readonly version: number;
  readonly effectiveAt: Date;
  /** ISO 4217. */
  readonly currency: string;
  readonly note: string;
  /** SHA-256 of the canonical text, hex. */
  readonly hash: string;
  /** By model name or pattern. */
  readonly prices: ReadonlyMap<string, ModelPrice>;
}

/** A model's prices as stated: decimals per million tokens; a class left out is billed like its neighbour. */
export interface StatedPrice {
  readonly model: string;
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string | undefined;
  readonly cacheWrite5m?: string | undefined;
  readonly cacheWrite1h?: string | undefined;
  readonly reasoning?: string | undefined;
}

/** What the hash of a card covers; its version is given when it is stored. */
export interface RateCardContent {
  readonly effectiveAt: Date;
  readonly currency: string;
  readonly note: string;
  readonly prices: readonly StatedPrice[];
}

const STATED: readonly TokenClass[] = ['input', 'output', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'reasoning'];

/** A million units per million tokens: no real price comes near, and costs stay far inside 64 bits. */
export const MAX_PRICE_NANOS = 1_000_000_000_000_000n;

/**
 * The price of every class. A class that is not stated follows its neighbour, never a guessed multiple:
 * `cacheRead` and `cacheWrite5m` cost what `input` costs, `cacheWrite1h` what `cacheWrite5m` costs, `reasoning` what `output` costs.
 */
export function fullPrice(stated: StatedPrice): ModelPrice {
  const input = parseNanos(stated.input);
  const output = parseNanos(stated.output);
  const or = (text: string | undefined, neighbour: bigint): bigint =>
    text === undefined ? neighbour : parseNanos(text);
  const cacheWrite5m = or(stated.cacheWrite5m, input);
  return {
    input,
    output,
    cacheRead: or(stated.cacheRead, input),
    cacheWrite5m,
    cacheWrite1h: or(stated.cacheWrite1h, cacheWrite5m),
    reasoning: or(stated.reasoning, output),
  };
}

/**
 * The one text of a card: members in a fixed order, models sorted, decimals in their shortest exact form of at least two
 * places. Two cards that mean the same have the same text, and this text is what is stored, hashed and exported.
 */
export function canonicalText({ effectiveAt, currency, note, prices }: RateCardContent): string {
  return JSON.stringify({
    effectiveAt: effectiveAt.toISOString(),
    currency,
    note,
    prices: [...prices].sort((a, b) => (a.model < b.model ? -1 : 1)).map(canonicalPrice),
  });
}

function canonicalPrice(stated: StatedPrice): Record<string, string> {
  const canonical: Record<string, string> = { model: stated.model };
  for (const tokenClass of STATED) {
    const text = stated[tokenClass];
    if (text !== undefined) canonical[tokenClass] = formatNanos(parseNanos(text));
  }
  return canonical;
}

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A card whose stored text no longer has its hash: somebody changed history, so nothing may be priced by it. */
export class RateCardAltered extends Error {
  constructor(readonly version: number) {
    super(`rate card ${version} does not match its hash; restore it from a backup or from an export`);
    this.name = 'RateCardAltered';
  }
}

/** Reads a stored card. @throws RateCardAltered */
export function readRateCard(
  version: number,
  text: string,
  hash: string,
): RateCard & { stated: readonly StatedPrice[] } {
  if (hashOf(text) !== hash) throw new RateCardAltered(version);
  const { effectiveAt, currency, note, prices } = JSON.parse(text) as Record<
    'effectiveAt' | 'currency' | 'note',
    string
  > & {
    prices: StatedPrice[];
  };
  return {
    version,
    effectiveAt: new Date(effectiveAt),
    currency,
    note,
    hash,
    prices: new Map(prices.map((stated) => [stated.model, fullPrice(stated)])),
    stated: prices,
  };
}
