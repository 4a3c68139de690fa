import fc from 'fast-check';
import type { ModelPrice } from '../src/pricing/model-price';
import { cost, priceOf, tierOf } from '../src/pricing/pricing';
import { quote, quoteAll, type Bounds } from '../src/pricing/quote';
import { ratio } from '../src/pricing/ratio';
import { inputTokens, TOKEN_CLASSES, totalTokens, type TokenCounts } from '../src/pricing/token-counts';
import { NO_USAGE, type Usage } from '../src/pricing/usage';
import type { RateCard } from '../src/rates/rate-card';
import { cards, counts, TENANTS, TIERS, tokenCount, usages } from './arbitrary-prices';

const tenants = fc.constantFrom(...TENANTS);

/** Bounds that a usage keeps, some of them by far. */
const boundsAround = ({ counts, webSearches, serviceTier }: Usage): fc.Arbitrary<Bounds> =>
  fc
    .record({
      extra: fc.array(fc.nat({ max: 1_000_000 }), { minLength: 3, maxLength: 3 }),
      choices: fc.integer({ min: 1, max: 8 }),
      more: fc.subarray([...TIERS]),
    })
    .map(({ extra: [input = 0, audio = 0, output = 0], choices, more }) => ({
      inputTokensMax: inputTokens(counts) + input,
      audioInputTokensMax: counts.audioInput + audio,
      outputTokensMax: Math.ceil((counts.output + counts.reasoning + counts.audioOutput) / choices) + output,
      audioOutputAllowed: counts.audioOutput > 0 || audio > 500_000,
      choices,
      webSearchesMax: webSearches + (audio % 3),
      serviceTiers: serviceTier === null ? more : [...more, serviceTier],
    }));

const bounds: fc.Arbitrary<Bounds> = fc.record({
  inputTokensMax: tokenCount,
  audioInputTokensMax: fc.option(tokenCount, { nil: undefined }),
  outputTokensMax: tokenCount,
  audioOutputAllowed: fc.boolean(),
  choices: fc.integer({ min: 1, max: 8 }),
  webSearchesMax: fc.nat({ max: 100 }),
  serviceTiers: fc.subarray([...TIERS, 'scale']),
});

const priced = (card: RateCard, tenant: string | null): ModelPrice => priceOf(card, 'm', tenant) as ModelPrice;

describe('formula 2', () => {
  it('is the exact rational, rounded up, for any card, tenant and usage', () => {
    fc.assert(
      fc.property(cards, fc.constantFrom(...TENANTS), usages, (card, tenant, usage) => {
        const full = priceOf(card, 'm', tenant) as ModelPrice;
        const { fees = { request: 0n, webSearch: 0n }, exchange = ratio(1n, 1n), markup = ratio(1n, 1n) } = full;
        const tier = tierOf(full, usage.serviceTier);
        const { longContext } = tier;
        const isLong = longContext && inputTokens(usage.counts) > longContext.aboveTokens;
        const prices = isLong ? longContext.prices : tier;
        const tokens = TOKEN_CLASSES.reduce((sum, name) => sum + BigInt(usage.counts[name]) * prices[name], 0n);
        const requests = totalTokens(usage.counts) + usage.webSearches > 0 ? 1n : 0n;
        const feesDue = requests * fees.request + BigInt(usage.webSearches) * fees.webSearch;
        const exact = (tokens + feesDue * 1_000_000n) * exchange.numerator * markup.numerator;
        const divisor = 1_000_000n * exchange.denominator * markup.denominator;
        const due = cost(full, usage);
        expect(due * divisor >= exact && (due - 1n) * divisor < exact).toBe(true);
      }),
    );
  });

  it('is formula 1 where a card states nothing else', () => {
    fc.assert(
      fc.property(cards, counts, (card, some) => {
        const { fees: _, tiers: __, exchange: ___, markup: ____, ...plain } = priceOf(card, 'm', null) as ModelPrice;
        const usage = { ...NO_USAGE, counts: some };
        expect(cost(plain, usage)).toBe(cost(plain, usage, 1));
      }),
    );
  });

  it('never falls when more is used, as long as a long prompt is not cheaper', () => {
    fc.assert(
      fc.property(cards, usages, usages, (card, usage, more) => {
        const full = priceOf(card, 'm', 'acme') as ModelPrice;
        const tier = tierOf(full, usage.serviceTier);
        const sum = Object.fromEntries(
          TOKEN_CLASSES.map((name) => [name, usage.counts[name] + more.counts[name]]),
        ) as unknown as TokenCounts;
        const { longContext } = tier;
        fc.pre(!longContext || TOKEN_CLASSES.every((name) => longContext.prices[name] >= tier[name]));
        const greater = { ...usage, counts: sum, webSearches: usage.webSearches + more.webSearches };
        expect(cost(full, greater) >= cost(full, usage)).toBe(true);
      }),
    );
  });
});

describe('a quote', () => {
  it('is never below the cost of anything within its bounds, for any card and tenant', () => {
    const cases = usages.chain((usage) => fc.tuple(fc.constant(usage), boundsAround(usage)));
    fc.assert(
      fc.property(cards, tenants, cases, (card, tenant, [usage, around]) => {
        const price = priced(card, tenant);
        const worst = quote(card, price, around);
        expect(worst.costNanos >= cost(price, usage)).toBe(true);
        expect(worst.tokens).toBeGreaterThanOrEqual(totalTokens(usage.counts));
      }),
      { numRuns: 3_000 },
    );
  });

  it('can be recomputed from its own usage, which keeps the bounds', () => {
    fc.assert(
      fc.property(cards, tenants, bounds, (card, tenant, within) => {
        const { worst, costNanos, tokens, rateCard: version, formula } = quote(card, priced(card, tenant), within);
        expect(cost(priced(card, tenant), worst, formula)).toBe(costNanos);
        expect(version).toBe(7);
        const { counts, webSearches, serviceTier } = worst;
        expect(totalTokens(counts)).toBeLessThanOrEqual(tokens);
        expect(inputTokens(counts)).toBeLessThanOrEqual(within.inputTokensMax);
        expect(counts.audioInput).toBeLessThanOrEqual(within.audioInputTokensMax ?? 0);
        expect(counts.audioOutput === 0 || within.audioOutputAllowed).toBe(true);
        expect(webSearches).toBe(within.webSearchesMax);
        expect([null, ...(within.serviceTiers ?? [])]).toContain(serviceTier);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of a plan is that of its dearest candidate, and enough tokens for any', () => {
    fc.assert(
      fc.property(cards, fc.array(fc.tuple(tenants, bounds), { minLength: 1, maxLength: 4 }), (card, candidates) => {
        const prices = candidates.map(([tenant]) => priced(card, tenant));
        const all = candidates.map(([, within]) => within);
        const plan = quoteAll(card, prices, all);
        const each = prices.map((price, index) => quote(card, price, all[index] as Bounds));
        for (const one of each) {
          expect(plan.costNanos >= one.costNanos).toBe(true);
          expect(plan.tokens).toBeGreaterThanOrEqual(one.tokens);
        }
        expect(each[plan.dearest]).toMatchObject({ costNanos: plan.costNanos, worst: plan.worst });
      }),
    );
  });
});
