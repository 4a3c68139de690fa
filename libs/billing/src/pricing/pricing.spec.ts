import fc from 'fast-check';
import { rateCard, type RateCard } from '../rates/rate-card';
import type { ClassPrices, ModelPrice } from './model-price';
import { cost, priceOf, quote } from './pricing';
import { NO_TOKENS, TOKEN_CLASSES, totalTokens, type TokenCounts } from './token-counts';

const nanos = fc.bigInt({ min: 0n, max: 10n ** 15n });
const classPrices: fc.Arbitrary<ClassPrices> = fc.record({
  input: nanos,
  output: nanos,
  cacheRead: nanos,
  cacheWrite5m: nanos,
  cacheWrite1h: nanos,
  reasoning: nanos,
});
const tokens = fc.nat({ max: 50_000_000 });
const counts: fc.Arbitrary<TokenCounts> = fc.record({
  input: tokens,
  output: tokens,
  cacheRead: tokens,
  cacheWrite5m: tokens,
  cacheWrite1h: tokens,
  reasoning: tokens,
});
const modelPrice: fc.Arbitrary<ModelPrice> = fc
  .tuple(classPrices, fc.option(fc.record({ aboveTokens: tokens, prices: classPrices }), { nil: undefined }))
  .map(([prices, longContext]) => ({ ...prices, longContext }));

const card = { version: 7 } as RateCard;
const dollars = (price: Partial<Record<keyof TokenCounts, bigint>>): ModelPrice => ({
  input: 0n,
  output: 0n,
  cacheRead: 0n,
  cacheWrite5m: 0n,
  cacheWrite1h: 0n,
  reasoning: 0n,
  ...price,
});

describe('cost', () => {
  const price = dollars({
    input: 2_500_000_000n,
    output: 10_000_000_000n,
    cacheRead: 1_250_000_000n,
    reasoning: 10_000_000_000n,
  });

  it('is what an invoice says', () => {
    const counts = { ...NO_TOKENS, input: 1_000, cacheRead: 400, output: 250, reasoning: 50 };
    // 0.0025 + 0.0005 + 0.0025 + 0.0005
    expect(cost(price, counts)).toBe(6_000_000n);
  });

  it('rounds up once, over the sum of all classes', () => {
    const tiny = dollars({ input: 1n, output: 1n });
    expect(cost(tiny, { ...NO_TOKENS, input: 1, output: 1 })).toBe(1n);
    expect(cost(tiny, { ...NO_TOKENS, input: 1_000_000 })).toBe(1n);
    expect(cost(tiny, { ...NO_TOKENS, input: 1_000_000, output: 1 })).toBe(2n);
    expect(cost(tiny, NO_TOKENS)).toBe(0n);
  });

  it('is exact where floating point is not', () => {
    const counts = { ...NO_TOKENS, input: 1_099_511_627_775 };
    expect(cost(dollars({ input: 999_999_999_999_999n }), counts)).toBe(1_099_511_627_774_998_900_489n);
  });

  it('charges the whole call at the long price once the prompt is longer than the threshold, cached tokens included', () => {
    const tiered: ModelPrice = {
      ...dollars({ input: 1_000_000n, cacheRead: 1_000_000n, output: 1_000_000n }),
      longContext: {
        aboveTokens: 100,
        prices: dollars({ input: 2_000_000n, cacheRead: 2_000_000n, output: 3_000_000n }),
      },
    };
    expect(cost(tiered, { ...NO_TOKENS, input: 60, cacheRead: 40, output: 10 })).toBe(110n);
    expect(cost(tiered, { ...NO_TOKENS, input: 61, cacheRead: 40, output: 10 })).toBe(232n);
    expect(cost(tiered, { ...NO_TOKENS, output: 1_000 })).toBe(1_000n);
  });

  it('is the exact rational, rounded up, for any prices and counts', () => {
    fc.assert(
      fc.property(classPrices, counts, (prices, used) => {
        const exact = TOKEN_CLASSES.reduce((sum, name) => sum + BigInt(used[name]) * prices[name], 0n);
        const due = cost(prices, used);
        expect(due * 1_000_000n >= exact && (due - 1n) * 1_000_000n < exact).toBe(true);
      }),
    );
  });
});

describe('quote', () => {
  it('is never below the cost of anything within its bounds', () => {
    fc.assert(
      fc.property(
        modelPrice,
        counts,
        tokens,
        tokens,
        fc.integer({ min: 1, max: 8 }),
        (price, used, in_, out, choices) => {
          const inputTokensMax = used.input + used.cacheRead + used.cacheWrite5m + used.cacheWrite1h + in_;
          const outputTokensMax = Math.ceil((used.output + used.reasoning) / choices) + out;
          const worst = quote(card, price, { inputTokensMax, outputTokensMax, choices });
          expect(worst.costNanos >= cost(price, used)).toBe(true);
          expect(worst.tokens).toBeGreaterThanOrEqual(totalTokens(used));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('can be recomputed from its own counts and is reached by them', () => {
    fc.assert(
      fc.property(modelPrice, tokens, tokens, (price, inputTokensMax, outputTokensMax) => {
        const {
          worst,
          costNanos,
          rateCard: version,
        } = quote(card, price, { inputTokensMax, outputTokensMax, choices: 1 });
        expect(cost(price, worst)).toBe(costNanos);
        expect(totalTokens(worst)).toBeLessThanOrEqual(inputTokensMax + outputTokensMax);
        expect(version).toBe(7);
      }),
    );
  });

  it('takes the dearest classes, and the plain ones among equals', () => {
    const flat = dollars({ input: 5n, cacheRead: 5n, cacheWrite1h: 5n, output: 9n, reasoning: 9n });
    expect(quote(card, flat, { inputTokensMax: 10, outputTokensMax: 4, choices: 3 }).worst).toEqual({
      ...NO_TOKENS,
      input: 10,
      output: 12,
    });
    const cached = dollars({ input: 5n, cacheWrite1h: 6n, output: 9n, reasoning: 10n });
    expect(quote(card, cached, { inputTokensMax: 10, outputTokensMax: 4, choices: 3 }).worst).toEqual({
      ...NO_TOKENS,
      cacheWrite1h: 10,
      reasoning: 12,
    });
  });

  it.each([
    { inputTokensMax: -1, outputTokensMax: 1, choices: 1 },
    { inputTokensMax: 1, outputTokensMax: Infinity, choices: 1 },
    { inputTokensMax: 1.5, outputTokensMax: 1, choices: 1 },
    { inputTokensMax: 1, outputTokensMax: 1, choices: 0 },
    { inputTokensMax: 1, outputTokensMax: 1, choices: NaN },
    { inputTokensMax: 1, outputTokensMax: 2 ** 52, choices: 3 },
  ])('refuses bounds that bound nothing: %j', (bounds) => {
    expect(() => quote(card, dollars({}), bounds)).toThrow(RangeError);
  });
});

describe('priceOf', () => {
  const prices = rateCard(1, '', {
    effectiveAt: new Date(0),
    currency: 'USD',
    note: '',
    prices: ['gpt-4o', 'gpt-4o-mini*', 'gpt-*'].map((model, index) => ({ model, input: String(index), output: '0' })),
  });

  it.each([
    ['gpt-4o', 0n],
    ['gpt-4o-mini', 1_000_000_000n],
    ['gpt-4o-mini-2024-07-18', 1_000_000_000n],
    ['gpt-4o-2024-05-13', 2_000_000_000n],
  ])('prices %s by the most specific pattern', (model, input) => {
    expect(priceOf(prices, model)?.input).toBe(input);
  });

  it('has no price for a model that nothing names', () => {
    expect(priceOf(prices, 'claude-opus-5')).toBeUndefined();
    expect(priceOf(prices, 'GPT-4o')).toBeUndefined();
  });
});
