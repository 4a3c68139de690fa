import { rateCard, type RateCard, type StatedPrice } from '../rates/rate-card';
import type { ModelPrice } from './model-price';
import { priceOf } from './pricing';
import { quote, quoteAll } from './quote';
import { NO_TOKENS } from './token-counts';

const priced = (card: RateCard): ModelPrice => priceOf(card, 'm', null) as ModelPrice;
const cardOf = (price: Omit<StatedPrice, 'model'>): RateCard =>
  rateCard(7, '', { effectiveAt: new Date(0), currency: 'USD', note: '', prices: [{ model: 'm', ...price }] });

describe('quote', () => {
  it('takes the dearest classes, and the plain ones among equals', () => {
    const within = { inputTokensMax: 10, outputTokensMax: 4, choices: 3 };
    const flat = cardOf({ input: '5', output: '9' });
    expect(quote(flat, priced(flat), within).worst.counts).toEqual({ ...NO_TOKENS, input: 10, output: 12 });
    const cached = cardOf({ input: '5', cacheWrite1h: '6', output: '9', reasoning: '10' });
    expect(quote(cached, priced(cached), within).worst.counts).toEqual({
      ...NO_TOKENS,
      cacheWrite1h: 10,
      reasoning: 12,
    });
  });

  it('takes as much for audio as may be audio, if that is dearer', () => {
    const card = cardOf({ input: '5', audioInput: '40', output: '9', audioOutput: '80' });
    const within = { inputTokensMax: 10, audioInputTokensMax: 3, outputTokensMax: 4, choices: 1 };
    expect(quote(card, priced(card), within).worst.counts).toEqual({
      ...NO_TOKENS,
      input: 7,
      audioInput: 3,
      output: 4,
    });
    const spoken = { ...within, audioInputTokensMax: 99, audioOutputAllowed: true };
    expect(quote(card, priced(card), spoken).worst.counts).toEqual({ ...NO_TOKENS, audioInput: 10, audioOutput: 4 });
  });

  it('takes the dearest tier in which the call may end; it may always end in the standard one', () => {
    const tiers = { flex: { input: '1', output: '1' }, priority: { input: '9', output: '9' } };
    const card = cardOf({ input: '5', output: '5', tiers, fees: { request: '0.001', webSearch: '0.01' } });
    const within = { inputTokensMax: 1_000_000, outputTokensMax: 0, choices: 1, webSearchesMax: 2 };
    expect(quote(card, priced(card), within)).toMatchObject({ costNanos: 5_021_000_000n });
    expect(quote(card, priced(card), { ...within, serviceTiers: ['flex'] })).toMatchObject({
      costNanos: 5_021_000_000n,
      worst: { serviceTier: null, webSearches: 2 },
    });
    expect(quote(card, priced(card), { ...within, serviceTiers: ['flex', 'priority'] })).toMatchObject({
      costNanos: 9_021_000_000n,
      worst: { serviceTier: 'priority', webSearches: 2 },
    });
  });

  it.each([
    { inputTokensMax: -1, outputTokensMax: 1, choices: 1 },
    { inputTokensMax: 1, outputTokensMax: Infinity, choices: 1 },
    { inputTokensMax: 1.5, outputTokensMax: 1, choices: 1 },
    { inputTokensMax: 1, outputTokensMax: 1, choices: 0 },
    { inputTokensMax: 1, outputTokensMax: 1, choices: NaN },
    { inputTokensMax: 1, outputTokensMax: 2 ** 52, choices: 3 },
    { inputTokensMax: 1, outputTokensMax: 1, choices: 1, audioInputTokensMax: -1 },
    { inputTokensMax: 1, outputTokensMax: 1, choices: 1, webSearchesMax: NaN },
  ])('refuses bounds that bound nothing: %j', (within) => {
    const card = cardOf({ input: '1', output: '1' });
    expect(() => quote(card, priced(card), within)).toThrow(RangeError);
  });
});

describe('quoteAll', () => {
  it('refuses a plan without candidates', () => {
    expect(() => quoteAll(cardOf({ input: '1', output: '1' }), [], [])).toThrow(RangeError);
  });
});
