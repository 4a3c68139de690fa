import { bestMatch } from '@app/platform';
import type { RateCard } from '../rates/rate-card';
import { type ClassPrices, type Fees, type ModelPrice, pricesByClass, type TierPrice } from './model-price';
import { divideUp } from './ratio';
import { byClass, inputTokens, totalTokens, type TokenCounts } from './token-counts';
import type { Usage } from './usage';

/** How a row's cost follows from its usage. A number is never given a new meaning: a changed rule gets the next one. */
export const FORMULAS = [1, 2] as const;
export type Formula = (typeof FORMULAS)[number];

/** What calls are billed by. */
export const FORMULA = 2 satisfies Formula;

const MILLION = 1_000_000n;

/**
 * What a model costs a tenant under a card, by the public name that was asked for; the longest matching pattern wins. The
 * tenant's own markup goes before that of `*`; `null` is nobody's.
 */
export function priceOf(card: RateCard, model: string, tenantId: string | null): ModelPrice | undefined {
  const price = bestMatch(card.prices, model);
  const markup = tenantId === null ? undefined : card.markups.get(tenantId);
  return price && markup ? { ...price, markup } : price;
}

/**
 * Formula 2: tokens times price per million, summed over the classes, and fees times price, in the currency of the list;
 * times the exchange rate, times the tenant's share of the list price; rounded up to the next nano-unit, once. The prices
 * are those of the service tier, and of its long context if there are such and the input is longer than their threshold.
 * The request fee is due where anything was used: an answer that used nothing costs nothing.
 *
 * Formula 1: the same without fees, service tiers, exchange rate and markup.
 */
export function cost(price: ModelPrice, usage: Usage, formula: Formula = FORMULA): bigint {
  if (formula === 1) return divideUp(tokenCost(price, usage.counts), MILLION);
  const { fees, exchange, markup } = price;
  let dividend = tokenCost(tierOf(price, usage.serviceTier), usage.counts);
  let divisor = MILLION;
  if (fees) dividend += feeCost(fees, usage) * MILLION;
  if (exchange) [dividend, divisor] = [dividend * exchange.numerator, divisor * exchange.denominator];
  if (markup) [dividend, divisor] = [dividend * markup.numerator, divisor * markup.denominator];
  return divideUp(dividend, divisor);
}

/** The same before the tenant's markup or discount. */
export const listCost = ({ markup: _, ...price }: ModelPrice, usage: Usage, formula: Formula = FORMULA): bigint =>
  cost(price, usage, formula);

/** The prices of a service tier; those of the standard one where the card states none for it. */
export const tierOf = (price: ModelPrice, serviceTier: string | null): TierPrice =>
  (serviceTier === null ? undefined : price.tiers?.get(serviceTier)) ?? price;

/** Millionths of a nano-unit. */
function tokenCost(price: TierPrice, counts: TokenCounts): bigint {
  const { longContext } = price;
  const isLong = longContext && inputTokens(counts) > longContext.aboveTokens;
  const prices = isLong ? longContext.prices : price;
  const sum = tokenCostAsNumber(prices, counts);
  // Rounding keeps order: were one of its parts, or the sum, not exact, then it would be more than this.
  return sum <= Number.MAX_SAFE_INTEGER ? BigInt(sum) : tokenCostAsBigint(prices, counts);
}

/** What most calls cost is exact as a number, and a bigint would be three objects for each class. */
const tokenCostAsNumber = (prices: ClassPrices, counts: TokenCounts): number =>
  product(counts.input, prices.input) +
  product(counts.cacheRead, prices.cacheRead) +
  product(counts.cacheWrite5m, prices.cacheWrite5m) +
  product(counts.cacheWrite1h, prices.cacheWrite1h) +
  product(counts.audioInput, prices.audioInput) +
  product(counts.output, prices.output) +
  product(counts.reasoning, prices.reasoning) +
  product(counts.audioOutput, prices.audioOutput);

const product = (tokens: number, price: bigint): number => (tokens === 0 ? 0 : tokens * Number(price));

function tokenCostAsBigint(classPrices: ClassPrices, counts: TokenCounts): bigint {
  const prices = pricesByClass(classPrices);
  return byClass(counts).reduce((sum, tokens, i) => sum + BigInt(tokens) * (prices[i] as bigint), 0n);
}

function feeCost({ request, webSearch }: Fees, { counts, webSearches }: Usage): bigint {
  const requests = webSearches > 0 || totalTokens(counts) > 0 ? request : 0n;
  return requests + BigInt(webSearches) * webSearch;
}
