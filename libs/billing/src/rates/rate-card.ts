import { createHash } from 'node:crypto';
import { formatNanos, parseNanos } from '@app/platform';
import type { ClassPrices, ModelPrice } from '../pricing/model-price';
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

/** Prices as an admin states them: decimals per million tokens; a class left out is billed like its neighbour. */
export interface StatedClasses {
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string | undefined;
  readonly cacheWrite5m?: string | undefined;
  readonly cacheWrite1h?: string | undefined;
  readonly reasoning?: string | undefined;
}

export interface StatedPrice extends StatedClasses {
  readonly model: string;
  readonly longContext?: (StatedClasses & { readonly aboveTokens: number }) | undefined;
}

/** What the hash of a card covers; its version is given when it is stored. */
export interface RateCardContent {
  readonly effectiveAt: Date;
  readonly currency: string;
  readonly note: string;
  readonly prices: readonly StatedPrice[];
}

const STATED: readonly TokenClass[] = ['input', 'output', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'reasoning'];

/** The price of a model in every class, long context included. */
export function fullPrice({ longContext, ...stated }: StatedPrice): ModelPrice {
  if (!longContext) return classPrices(stated);
  return {
    ...classPrices(stated),
    longContext: { aboveTokens: longContext.aboveTokens, prices: classPrices(longContext) },
  };
}

/**
 * A class that is not stated follows its neighbour, never a guessed multiple: `cacheRead` and `cacheWrite5m` cost what `input`
 * costs, `cacheWrite1h` what `cacheWrite5m` costs, `reasoning` what `output` costs.
 */
function classPrices(stated: StatedClasses): ClassPrices {
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
 * places. Two cards that state the same have the same text, and this text is what is stored, hashed and exported.
 */
export function canonicalText({ effectiveAt, currency, note, prices }: RateCardContent): string {
  return JSON.stringify({
    effectiveAt: effectiveAt.toISOString(),
    currency,
    note,
    prices: canonicalPrices(prices),
  });
}

/** Prices as the canonical text has them. */
export const canonicalPrices = (prices: readonly StatedPrice[]): StatedPrice[] =>
  [...prices].sort((a, b) => (a.model < b.model ? -1 : 1)).map(canonicalPrice);

const canonicalPrice = ({ model, longContext, ...stated }: StatedPrice): StatedPrice => ({
  model,
  ...canonicalClasses(stated),
  ...(longContext && {
    longContext: { aboveTokens: longContext.aboveTokens, ...canonicalClasses(longContext) },
  }),
});

const canonicalClasses = (stated: StatedClasses): StatedClasses =>
  Object.fromEntries(
    STATED.flatMap((tokenClass) => {
      const text = stated[tokenClass];
      return text === undefined ? [] : [[tokenClass, formatNanos(parseNanos(text))]];
    }),
  ) as unknown as StatedClasses;

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A card whose stored text no longer has its hash: somebody changed history, so nothing may be priced by it. */
export class RateCardAltered extends Error {
  constructor(readonly version: number) {
    super(`rate card ${version} does not match its hash; restore it from a backup or from an export`);
    this.name = 'RateCardAltered';
  }
}

/** What a card's canonical text says. @throws RateCardAltered unless the text has the hash it was stored with. */
export function readContent(version: number, text: string, hash: string): RateCardContent {
  if (hashOf(text) !== hash) throw new RateCardAltered(version);
  const content = JSON.parse(text) as Omit<RateCardContent, 'effectiveAt'> & { effectiveAt: string };
  return { ...content, effectiveAt: new Date(content.effectiveAt) };
}

export const rateCard = (version: number, hash: string, { prices, ...content }: RateCardContent): RateCard => ({
  version,
  hash,
  ...content,
  prices: new Map(prices.map((stated) => [stated.model, fullPrice(stated)])),
});

/** The card in force at an instant, of cards sorted by when they take effect. */
export const inForce = <Card extends Pick<RateCard, 'effectiveAt'>>(
  cards: readonly Card[],
  at: Date,
): Card | undefined => cards.findLast((card) => card.effectiveAt <= at);
