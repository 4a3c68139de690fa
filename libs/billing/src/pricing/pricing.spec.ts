import fc from 'fast-check';
import { rateCard } from '../rates/rate-card';
import type { ModelPrice } from './model-price';
import { cost, listCost, priceOf } from './pricing';
import { ratio } from './ratio';
import { MAX_TOKENS, NO_TOKENS, TOKEN_CLASSES, type TokenCounts } from './token-counts';
import { NO_USAGE, type Usage } from './usage';

const dollars = (price: Partial<ModelPrice>): ModelPrice => ({
  input: 0n,
  audioInput: 0n,
  output: 0n,
  audioOutput: 0n,
  cacheRead: 0n,
  cacheWrite5m: 0n,
  cacheWrite1h: 0n,
  reasoning: 0n,
  ...price,
});
const used = (some: Partial<TokenCounts>, rest: Partial<Usage> = {}): Usage => ({
  ...NO_USAGE,
  ...rest,
  counts: { ...NO_TOKENS, ...some },
});

describe.each([1, 2] as const)('formula %i', (formula) => {
  const price = dollars({
    input: 2_500_000_000n,
    output: 10_000_000_000n,
    cacheRead: 1_250_000_000n,
    reasoning: 10_000_000_000n,
  });

  it('is what an invoice says', () => {
    // 0.0025 + 0.0005 + 0.0025 + 0.0005
    expect(cost(price, used({ input: 1_000, cacheRead: 400, output: 250, reasoning: 50 }), formula)).toBe(6_000_000n);
  });

  it('rounds up once, over the sum of all classes', () => {
    const tiny = dollars({ input: 1n, output: 1n });
    expect(cost(tiny, used({ input: 1, output: 1 }), formula)).toBe(1n);
    expect(cost(tiny, used({ input: 1_000_000 }), formula)).toBe(1n);
    expect(cost(tiny, used({ input: 1_000_000, output: 1 }), formula)).toBe(2n);
    expect(cost(tiny, NO_USAGE, formula)).toBe(0n);
  });

  it('is exact where floating point is not', () => {
    const dear = dollars({ input: 999_999_999_999_999n });
    expect(cost(dear, used({ input: 1_099_511_627_775 }), formula)).toBe(1_099_511_627_774_998_900_489n);
  });

  it('charges the whole call at the long price once the prompt is longer than the threshold, cached tokens included', () => {
    const tiered: ModelPrice = {
      ...dollars({ input: 1_000_000n, cacheRead: 1_000_000n, output: 1_000_000n }),
      longContext: {
        aboveTokens: 100,
        prices: dollars({ input: 2_000_000n, cacheRead: 2_000_000n, output: 3_000_000n }),
      },
    };
    expect(cost(tiered, used({ input: 60, cacheRead: 40, output: 10 }), formula)).toBe(110n);
    expect(cost(tiered, used({ input: 61, cacheRead: 40, output: 10 }), formula)).toBe(232n);
    expect(cost(tiered, used({ output: 1_000 }), formula)).toBe(1_000n);
  });
});

describe('formula 1', () => {
  it('knows neither fees nor tiers, exchange or markup', () => {
    const plain = dollars({ input: 1_000_000n });
    const price: ModelPrice = {
      ...plain,
      fees: { request: 5n, webSearch: 5n },
      tiers: new Map([['flex', dollars({})]]),
      exchange: ratio(9n, 10n),
      markup: ratio(2n, 1n),
    };
    expect(cost(price, used({ input: 7 }, { webSearches: 3, serviceTier: 'flex' }), 1)).toBe(7n);
  });
});

describe('formula 2', () => {
  const price = dollars({ input: 1_000_000n, fees: { request: 10n, webSearch: 100n } });

  it('adds a fee for the request and for each search, and none for a call that used nothing', () => {
    expect(cost(price, used({ input: 5 }))).toBe(15n);
    expect(cost(price, used({ input: 5 }, { webSearches: 2 }))).toBe(215n);
    expect(cost(price, used({}, { webSearches: 1 }))).toBe(110n);
    expect(cost(price, NO_USAGE)).toBe(0n);
  });

  it('bills a service tier at its prices and its own threshold, and one without prices as the standard one', () => {
    const priority = { ...dollars({ input: 2_000_000n }), longContext: { aboveTokens: 5, prices: dollars({}) } };
    const tiered = { ...price, tiers: new Map([['priority', priority]]) };
    expect(cost(tiered, used({ input: 5 }, { serviceTier: 'priority' }))).toBe(20n);
    expect(cost(tiered, used({ input: 6 }, { serviceTier: 'priority' }))).toBe(10n);
    expect(cost(tiered, used({ input: 6 }, { serviceTier: 'flex' }))).toBe(16n);
  });

  it('rounds up after exchange and markup, and before neither', () => {
    const tiny = dollars({ input: 1n, exchange: ratio(1n, 3n), markup: ratio(3n, 1n) });
    expect(cost(tiny, used({ input: 1_000_000 }))).toBe(1n);
    expect(cost({ ...tiny, markup: ratio(4n, 1n) }, used({ input: 1_000_000 }))).toBe(2n);
    expect(listCost({ ...tiny, markup: ratio(0n, 1n) }, used({ input: 3_000_000 }))).toBe(1n);
  });
});

describe('the sum of all classes', () => {
  // Told in its own unit, millionths of a nano-unit, so that nothing is rounded away.
  const exchange = ratio(1_000_000n, 1n);
  const ofEach = <T>(value: fc.Arbitrary<T>) => fc.tuple(...TOKEN_CLASSES.map(() => value));
  const tokens = fc.oneof(fc.constant(0), fc.nat(200_000), fc.nat(MAX_TOKENS));
  const price = fc.oneof(fc.bigInt(0n, 99n), fc.bigInt(0n, 10n ** 11n), fc.bigInt(0n, 2n ** 63n));

  it('is exact, whether a number can hold it or not', () => {
    const exact = (counts: readonly number[], prices: readonly bigint[]): void => {
      const due = counts.reduce((sum, count, i) => sum + BigInt(count) * (prices[i] as bigint), 0n);
      const inClasses = <T>(values: readonly T[]) =>
        Object.fromEntries(TOKEN_CLASSES.map((tokenClass, i) => [tokenClass, values[i]]));
      const sum = cost({ ...dollars(inClasses(prices)), exchange }, used(inClasses(counts)));
      expect(sum).toBe(due);
    };
    fc.assert(fc.property(ofEach(tokens), ofEach(price), exact), { numRuns: 1_000 });
    // The first that is not: one more than a number can tell from its neighbours.
    exact([1, 1, 0, 0, 0, 0, 0, 0], [2n ** 53n - 1n, 1n, 0n, 0n, 0n, 0n, 0n, 0n]);
    exact([1, 1, 0, 0, 0, 0, 0, 0], [2n ** 53n, 1n, 0n, 0n, 0n, 0n, 0n, 0n]);
    exact([1, 0, 0, 0, 0, 0, 0, 0], [2n ** 53n + 1n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
  });
});

describe('priceOf', () => {
  const card = rateCard(1, '', {
    effectiveAt: new Date(0),
    currency: 'EUR',
    note: '',
    exchange: { from: 'USD', rate: '0.9213' },
    markups: [
      { tenant: '*', percent: '12.5' },
      { tenant: 'acme', percent: '-10' },
      { tenant: 'guests', percent: '-100' },
    ],
    prices: ['gpt-4o', 'gpt-4o-mini*', 'gpt-*'].map((model, index) => ({ model, input: String(index), output: '0' })),
  });

  it.each([
    ['gpt-4o', 0n],
    ['gpt-4o-mini', 1_000_000_000n],
    ['gpt-4o-mini-2024-07-18', 1_000_000_000n],
    ['gpt-4o-2024-05-13', 2_000_000_000n],
  ])('prices %s by the most specific pattern', (model, input) => {
    expect(priceOf(card, model, null)?.input).toBe(input);
  });

  it('has no price for a model that nothing names', () => {
    expect(priceOf(card, 'claude-opus-5', 'acme')).toBeUndefined();
    expect(priceOf(card, 'GPT-4o', null)).toBeUndefined();
  });

  it.each([
    ['finance', 2n * 921_300_000n + 2n * 115_162_500n],
    ['acme', 2n * 829_170_000n],
    ['guests', 0n],
    ['*', 2n * 921_300_000n + 2n * 115_162_500n],
  ])('bills %s in the currency of the card, with the markup of its own or of all others', (tenant, due) => {
    const price = priceOf(card, 'gpt-5', tenant) as ModelPrice;
    expect(cost(price, used({ input: 1_000_000 }))).toBe(due);
    expect(listCost(price, used({ input: 1_000_000 }))).toBe(2n * 921_300_000n);
  });
});
