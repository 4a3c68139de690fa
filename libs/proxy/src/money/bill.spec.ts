import { NO_TOKENS, NO_USAGE, quote, type ModelPrice, type RateCard, type TokenCounts, type Usage } from '@app/billing';
import fc from 'fast-check';
import { bill, type Ending } from './bill';

const price: ModelPrice = {
  input: 3_000_000_000n,
  audioInput: 3_000_000_000n,
  audioOutput: 15_000_000_000n,
  cacheRead: 300_000_000n,
  cacheWrite5m: 3_750_000_000n,
  cacheWrite1h: 6_000_000_000n,
  output: 15_000_000_000n,
  reasoning: 15_000_000_000n,
};
const card = { version: 7 } as RateCard;
const worst = quote(card, price, { inputTokensMax: 1_000, outputTokensMax: 100, choices: 1 });
const told = { ...NO_TOKENS, input: 200, output: 50, reasoning: 10 };
const used = (counts: TokenCounts, more: Partial<Usage> = {}): Usage => ({ ...NO_USAGE, ...more, counts });
const ending = (fields: Partial<Ending>): Ending => ({
  outcome: 'completed',
  status: 200,
  usage: used(told),
  final: true,
  problem: null,
  outputSeen: 0,
  silentSearches: 0,
  inputGuess: 250,
  ...fields,
});

describe('bill', () => {
  test('what the provider told is what is billed', () => {
    expect(bill(price, worst, ending({}))).toEqual({
      status: 'actual',
      ...NO_USAGE,
      counts: told,
      costNanos: 1_500_000n,
      tokens: 260,
      reason: null,
    });
  });

  test.each([302, 400, 404, 429, 529])('an answer with status %i costs nothing and is a row all the same', (status) => {
    expect(bill(price, worst, ending({ status, outcome: 'failed', usage: null }))).toEqual({
      status: 'actual',
      ...NO_USAGE,
      costNanos: 0n,
      tokens: 0,
      reason: null,
    });
  });

  test('sent and never answered is the worst case, unconfirmed', () => {
    expect(bill(price, worst, ending({ status: 0, outcome: 'failed', usage: null }))).toEqual({
      status: 'unconfirmed',
      ...worst.worst,
      costNanos: worst.costNanos,
      tokens: 1_100,
      reason: 'no_answer',
    });
  });

  test('an abandoned stream is billed at what was told and seen, as an estimate', () => {
    const early = { ...NO_TOKENS, input: 200, output: 1 };
    expect(
      bill(price, worst, ending({ outcome: 'aborted', usage: used(early), final: false, outputSeen: 30 })),
    ).toMatchObject({ status: 'estimated', reason: 'broken_off', counts: { input: 200, output: 30 } });
    expect(
      bill(price, worst, ending({ outcome: 'aborted', usage: used(early), final: false, outputSeen: 0 })),
    ).toMatchObject({ counts: { output: 1 } });
  });

  test('what is guessed of the input is never more than its bound, and never brings the worst case of the output', () => {
    const silent = {
      outcome: 'aborted',
      usage: null,
      problem: { reason: 'missing', field: 'usage' },
      outputSeen: 40,
    } as const;
    expect(bill(price, worst, ending({ ...silent, inputGuess: 250_000 }))).toMatchObject({
      status: 'estimated',
      reason: 'broken_off',
      counts: { ...NO_TOKENS, input: 1_000, output: 40 },
    });
  });

  test('a provider without usage is estimated from what was sent and seen', () => {
    const silent = ending({ usage: null, problem: { reason: 'missing', field: 'usage' }, outputSeen: 40 });
    expect(bill(price, worst, silent)).toMatchObject({
      status: 'estimated',
      reason: 'usage_missing',
      counts: { input: 250, output: 40 },
    });
  });

  test('usage that cannot be true goes into quarantine at the worst case', () => {
    expect(bill(price, worst, ending({ usage: null, problem: { reason: 'not_a_count', field: 'x' } }))).toMatchObject({
      status: 'quarantined',
      reason: 'usage_not_a_count',
      costNanos: worst.costNanos,
    });
    expect(bill(price, worst, ending({ usage: used({ ...told, output: 5_000 }) }))).toMatchObject({
      status: 'quarantined',
      reason: 'above_worst_case',
      costNanos: worst.costNanos,
      ...worst.worst,
    });
  });

  test('more tokens than the request could use go into quarantine, however little they cost', () => {
    const many = { ...NO_TOKENS, cacheRead: 1_101 };
    expect(bill(price, worst, ending({ usage: used(many) }))).toMatchObject({ status: 'quarantined', tokens: 1_100 });
  });

  describe('what has no price', () => {
    const spoken = used({ ...told, audioInput: 5 });
    const searched = used(told, { webSearches: 2 });

    test.each([
      ['heard', spoken, { ...price, audioInput: 3_000_000_001n }, { audioInputTokensMax: 100 }],
      [
        'spoken',
        used({ ...told, audioOutput: 5 }),
        { ...price, audioOutput: 15_000_000_001n },
        { audioOutputAllowed: true },
      ],
      ['searched', searched, { ...price, fees: { request: 0n, webSearch: 10_000_000n } }, { webSearchesMax: 2 }],
    ])('is not billed at the price of something else: %s', (_, usage, priced: ModelPrice, bounds) => {
      expect(bill(price, worst, ending({ usage }))).toMatchObject({
        ...{ status: 'quarantined', reason: 'usage_unpriced_class', costNanos: worst.costNanos },
      });
      const dearer = quote(card, priced, { inputTokensMax: 1_000, outputTokensMax: 100, choices: 1, ...bounds });
      expect(bill(priced, dearer, ending({ usage }))).toMatchObject({ status: 'actual', ...usage });
    });

    test('more searches than were allowed go into quarantine, however little they cost', () => {
      const priced = { ...price, fees: { request: 0n, webSearch: 1n } };
      const one = quote(card, priced, { inputTokensMax: 1_000, outputTokensMax: 100, choices: 1, webSearchesMax: 1 });
      expect(bill(priced, one, ending({ usage: searched }))).toMatchObject({ status: 'quarantined', webSearches: 1 });
      expect(bill(priced, one, ending({ silentSearches: 1 }))).toMatchObject({ status: 'actual', webSearches: 1 });
    });
  });

  test('a tier is billed as the provider reports it, and as the dearest where it did not', () => {
    const dear = { ...price, output: 99_000_000_000n };
    const priced = { ...price, tiers: new Map([['priority', dear]]) };
    const bounds = { inputTokensMax: 1_000, outputTokensMax: 100, choices: 1, serviceTiers: ['priority'] };
    const asked = quote(card, priced, bounds);
    expect(bill(priced, asked, ending({}))).toMatchObject({ serviceTier: null, costNanos: 1_500_000n });
    const served = used(told, { serviceTier: 'priority' });
    expect(bill(priced, asked, ending({ usage: served }))).toMatchObject({
      serviceTier: 'priority',
      costNanos: 5_700_000n,
    });
    expect(bill(priced, asked, ending({ usage: null, outputSeen: 50 }))).toMatchObject({
      ...{ status: 'estimated', serviceTier: 'priority', costNanos: 5_700_000n },
    });
  });

  test('whatever happens, a bill stays within its hold', () => {
    const count = fc.integer({ min: 0, max: 5_000 });
    const counts = fc.record({
      input: count,
      audioInput: count,
      output: count,
      audioOutput: count,
      cacheRead: count,
      cacheWrite5m: count,
      cacheWrite1h: count,
      reasoning: count,
    });
    const endings = fc.record({
      outcome: fc.constantFrom('completed' as const, 'aborted' as const, 'failed' as const),
      status: fc.constantFrom(0, 200, 400, 500),
      usage: fc.option(
        fc.record({ counts, webSearches: fc.nat({ max: 9 }), serviceTier: fc.constantFrom(null, 'flex', 'priority') }),
      ),
      silentSearches: fc.nat({ max: 3 }),
      final: fc.boolean(),
      problem: fc.option(
        fc.constantFrom({ reason: 'missing' as const, field: 'usage' }, { reason: 'too_large' as const, field: 'x' }),
      ),
      outputSeen: count,
      inputGuess: count,
    });
    fc.assert(
      fc.property(endings, (e) => {
        const { costNanos, tokens } = bill(price, worst, e);
        return costNanos >= 0n && costNanos <= worst.costNanos && tokens >= 0 && tokens <= worst.tokens;
      }),
    );
  });
});
