import type { RateCard } from '../rates/rate-card';
import { type ClassPrices, type ModelPrice, pricesByClass, type TierPrice } from './model-price';
import { cost, FORMULA, tierOf, type Formula } from './pricing';
import {
  byClass,
  fromClasses,
  INPUT_PLACES,
  NO_TOKENS,
  OUTPUT_PLACES,
  TOKEN_CLASSES,
  type TokenCounts,
} from './token-counts';
import { NO_USAGE, type Usage } from './usage';

/** The most a request can use. */
export interface Bounds {
  /** Upper bound of the input tokens of all classes together. */
  readonly inputTokensMax: number;
  /** How many of them may be audio; none if left out. */
  readonly audioInputTokensMax?: number | undefined;
  /** Upper bound of the output tokens of all classes together, of one choice. */
  readonly outputTokensMax: number;
  /** Whether the answer may be spoken; not if left out. */
  readonly audioOutputAllowed?: boolean | undefined;
  /** Answers asked for (`n`), at least 1. */
  readonly choices: number;
  /** None if left out. */
  readonly webSearchesMax?: number | undefined;
  /** The provider's service tiers in which the call may end, beside the standard one. */
  readonly serviceTiers?: readonly string[] | undefined;
}

/** What a request can cost at most, and the usage that costs it: an unconfirmed row made of it recomputes like any other. */
export interface Quote {
  readonly costNanos: bigint;
  readonly tokens: number;
  readonly worst: Usage;
  /** Version of the card the request will be billed by, however long it takes. */
  readonly rateCard: number;
  readonly formula: Formula;
}

/** What a plan can cost at most, whichever of its candidates answers. */
export interface PlanQuote extends Quote {
  /** Index of the candidate that `worst` is the usage of. */
  readonly dearest: number;
}

/**
 * The worst case within the bounds: all input and output in the dearest classes they can have, in the dearest tier, the
 * prompt as long as it can be, or just not long if that is dearer, and all searches made.
 * @throws RangeError for bounds that bound nothing
 */
export function quote(card: RateCard, price: ModelPrice, bounds: Bounds): Quote {
  const { inputTokensMax, audioInputTokensMax = 0, outputTokensMax, choices } = bounds;
  const { webSearchesMax = 0, serviceTiers = [] } = bounds;
  const output = outputTokensMax * choices;
  const amounts = [inputTokensMax, audioInputTokensMax, outputTokensMax, output, webSearchesMax];
  if (!amounts.every((n) => Number.isSafeInteger(n) && n >= 0) || !(choices >= 1))
    throw new RangeError(`not the bounds of a request: ${JSON.stringify(bounds)}`);
  let worst = NO_USAGE;
  let costNanos = -1n;
  for (const serviceTier of [null, ...serviceTiers]) {
    const tier = tierOf(price, serviceTier);
    for (const counts of worstCounts(tier, bounds, output)) {
      const usage = { counts, webSearches: webSearchesMax, serviceTier };
      const due = cost(price, usage);
      if (due > costNanos) [worst, costNanos] = [usage, due];
    }
  }
  return { costNanos, tokens: inputTokensMax + output, worst, rateCard: card.version, formula: FORMULA };
}

/**
 * The worst case of a plan: one price and its bounds for each candidate, the first choice first.
 * @throws RangeError for bounds that bound nothing, and for none
 */
export function quoteAll(card: RateCard, prices: readonly ModelPrice[], bounds: readonly Bounds[]): PlanQuote {
  const quotes = prices.map((price, index) => quote(card, price, bounds[index] as Bounds));
  const [first, ...rest] = quotes;
  if (!first) throw new RangeError('a plan without candidates has no price');
  const worst = rest.reduce((dearest, next) => (next.costNanos > dearest.costNanos ? next : dearest), first);
  // A budget of tokens has to hold whichever candidate answers, and the dearest need not be the one that reads most.
  return { ...worst, tokens: Math.max(...quotes.map(({ tokens }) => tokens)), dearest: quotes.indexOf(worst) };
}

/** The dearest counts of a short prompt, and of a long one where it may become long. */
function worstCounts(tier: TierPrice, bounds: Bounds, output: number): readonly TokenCounts[] {
  const { longContext } = tier;
  const { inputTokensMax } = bounds;
  if (!longContext || inputTokensMax <= longContext.aboveTokens)
    return [dearestCounts(tier, bounds, inputTokensMax, output)];
  return [
    dearestCounts(longContext.prices, bounds, inputTokensMax, output),
    dearestCounts(tier, bounds, longContext.aboveTokens, output),
  ];
}

const AUDIO_INPUT = TOKEN_CLASSES.indexOf('audioInput');

function dearestCounts(classPrices: ClassPrices, bounds: Bounds, input: number, output: number): TokenCounts {
  const prices = pricesByClass(classPrices);
  const mayBeSpoken = dearest(prices, INPUT_PLACES.audio) === AUDIO_INPUT;
  const spoken = mayBeSpoken ? Math.min(bounds.audioInputTokensMax ?? 0, input) : 0;
  const counts = byClass(NO_TOKENS);
  counts[AUDIO_INPUT] = spoken;
  counts[dearest(prices, INPUT_PLACES.text)] = input - spoken;
  counts[dearest(prices, OUTPUT_PLACES[bounds.audioOutputAllowed ? 'audio' : 'text'])] = output;
  return fromClasses(counts);
}

/** The place of the dearest; of equally dear ones the first. */
const dearest = (prices: readonly bigint[], places: readonly number[]): number =>
  places.reduce((best, next) => ((prices[next] as bigint) > (prices[best] as bigint) ? next : best));
