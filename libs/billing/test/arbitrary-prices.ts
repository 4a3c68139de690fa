import fc from 'fast-check';
import type { StatedClasses, StatedMarkup, StatedPrice, StatedTier } from '../src/rates/rate-card';
import { rateCard, type RateCard } from '../src/rates/rate-card';
import { TOKEN_CLASSES, type TokenCounts } from '../src/pricing/token-counts';
import type { Usage } from '../src/pricing/usage';
import { formatNanos } from '@app/platform';

/** Any model, tenant, tier and price that a card may state, for properties that hold for all of them. */
const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const amount = fc.bigInt({ min: 0n, max: 10n ** 15n }).map(formatNanos);

const classes: fc.Arbitrary<StatedClasses> = fc.record({
  input: amount,
  output: amount,
  cacheRead: some(amount),
  cacheWrite5m: some(amount),
  cacheWrite1h: some(amount),
  reasoning: some(amount),
  audioInput: some(amount),
  audioOutput: some(amount),
});
export const tokenCount = fc.nat({ max: 50_000_000 });

const tier: fc.Arbitrary<StatedTier> = fc
  .tuple(classes, some(fc.tuple(classes, fc.integer({ min: 1, max: 50_000_000 }))))
  .map(([stated, long]) => ({ ...stated, ...(long && { longContext: { ...long[0], aboveTokens: long[1] } }) }));

export const TIERS = ['batch', 'flex', 'priority'] as const;
export const TENANTS = ['acme', 'finance', 'legal'] as const;

const price: fc.Arbitrary<StatedPrice> = fc
  .tuple(
    tier,
    some(fc.dictionary(fc.constantFrom(...TIERS), tier, { maxKeys: 3 })),
    some(fc.record({ request: some(amount), webSearch: some(amount) })),
  )
  .map(([stated, tiers, fees]) => ({ model: 'm', ...stated, tiers, fees }));

const markups: fc.Arbitrary<StatedMarkup[]> = fc.uniqueArray(
  fc.record({
    tenant: fc.constantFrom('*', 'acme', 'finance'),
    percent: fc.bigInt({ min: -100n * 10n ** 9n, max: 1_000n * 10n ** 9n }).map(formatNanos),
  }),
  { selector: ({ tenant }) => tenant },
);
const exchange = fc.bigInt({ min: 1n, max: 10n ** 13n }).map((rate) => ({ from: 'USD', rate: formatNanos(rate) }));

/** A card that prices the model `m`. */
export const cards: fc.Arbitrary<RateCard> = fc
  .record({ price, markups: some(markups), exchange: some(exchange) })
  .map(({ price: stated, ...rest }) =>
    rateCard(7, '', { effectiveAt: new Date(0), currency: 'EUR', note: '', prices: [stated], ...rest }),
  );

export const counts = fc.record(
  Object.fromEntries(TOKEN_CLASSES.map((tokenClass) => [tokenClass, tokenCount])),
) as unknown as fc.Arbitrary<TokenCounts>;

export const usages: fc.Arbitrary<Usage> = fc.record({
  counts,
  webSearches: fc.nat({ max: 1_000 }),
  serviceTier: fc.constantFrom(null, ...TIERS),
});
