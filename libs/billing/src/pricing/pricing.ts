import { bestMatch } from '@app/platform';
import type { RateCard } from '../rates/rate-card';
import type { ClassPrices, ModelPrice } from './model-price';
import {
  INPUT_CLASSES,
  inputTokens,
  NO_TOKENS,
  OUTPUT_CLASSES,
  TOKEN_CLASSES,
  type TokenClass,
  type TokenCounts,
} from './token-counts';

/** How a row's cost follows from its counts. A number is never given a new meaning: a changed rule gets the next one. */
export const FORMULA = 1;
export type Formula = typeof FORMULA;

const MILLION = 1_000_000n;

/** The price of a model under a card, by the public name that was asked for; the longest matching pattern wins. */
export const priceOf = (card: RateCard, model: string): ModelPrice | undefined => bestMatch(card.prices, model);

/**
 * Formula 1: tokens times price, summed over the classes, divided by a million and rounded up to the next nano-unit, once.
 * The prices are those of the long context if there are such and the input is longer than their threshold.
 */
export function cost(price: ModelPrice, counts: TokenCounts): bigint {
  const { longContext } = price;
  const prices = longContext && inputTokens(counts) > longContext.aboveTokens ? longContext.prices : price;
  let sum = 0n;
  for (const tokenClass of TOKEN_CLASSES) {
    const tokens = counts[tokenClass];
    if (tokens !== 0) sum += BigInt(tokens) * prices[tokenClass];
  }
  return (sum + MILLION - 1n) / MILLION;
}

/** The most a request can use. */
export interface Bounds {
  /** Upper bound of the input tokens of all classes together. */
  readonly inputTokensMax: number;
  /** Upper bound of output and reasoning tokens together, of one choice. */
  readonly outputTokensMax: number;
  /** Answers asked for (`n`), at least 1. */
  readonly choices: number;
}

/** What a request can cost at most, and the counts that cost it: an unconfirmed row made of them recomputes like any other. */
export interface Quote {
  readonly costNanos: bigint;
  readonly tokens: number;
  readonly worst: TokenCounts;
  /** Version of the card the request will be billed by, however long it takes. */
  readonly rateCard: number;
  readonly formula: Formula;
}

/**
 * The worst case within the bounds: all input in its dearest class, all output in its dearest, the prompt as long as it
 * can be, or just not long if that is dearer.
 * @throws RangeError for bounds that bound nothing
 */
export function quote(card: RateCard, price: ModelPrice, bounds: Bounds): Quote {
  const { inputTokensMax, outputTokensMax, choices } = bounds;
  const output = outputTokensMax * choices;
  if (![inputTokensMax, outputTokensMax, output].every((n) => Number.isSafeInteger(n) && n >= 0) || !(choices >= 1))
    throw new RangeError(`not the bounds of a request: ${JSON.stringify(bounds)}`);
  let worst = worstCounts(price, inputTokensMax, output);
  const { longContext } = price;
  if (longContext && inputTokensMax > longContext.aboveTokens) {
    const short = worstCounts(price, longContext.aboveTokens, output);
    const long = worstCounts(longContext.prices, inputTokensMax, output);
    worst = cost(price, short) > cost(price, long) ? short : long;
  }
  return {
    costNanos: cost(price, worst),
    tokens: inputTokensMax + output,
    worst,
    rateCard: card.version,
    formula: FORMULA,
  };
}

const worstCounts = (prices: ClassPrices, input: number, output: number): TokenCounts => ({
  ...NO_TOKENS,
  [dearest(prices, INPUT_CLASSES)]: input,
  [dearest(prices, OUTPUT_CLASSES)]: output,
});

const dearest = <Class extends TokenClass>(prices: ClassPrices, classes: readonly Class[]): Class =>
  classes.reduce((best, next) => (prices[next] > prices[best] ? next : best));
