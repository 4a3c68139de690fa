import { uuid7 } from '@app/platform';
import fc from 'fast-check';
import { cards, counts } from './arbitrary-prices';
import { cost, FORMULA, FORMULAS, priceOf } from '../src/pricing/pricing';
import { NO_TOKENS, TOKEN_CLASSES, type TokenCounts } from '../src/pricing/token-counts';
import {
  difference,
  idTimeOf,
  isNothing,
  nothing,
  repriced,
  restated,
  STATED,
  type BilledState,
} from '../src/corrections/correction';

const state = (fields: Partial<BilledState> = {}): BilledState => ({
  counts: { ...NO_TOKENS, cacheWrite1h: 900, output: 400 },
  webSearches: 2,
  serviceTier: null,
  rateCard: 3,
  formula: 2,
  ownFormula: 2,
  costNanos: 5_000n,
  listCostNanos: 5_000n,
  corrections: 0,
  ...fields,
});
const told: TokenCounts = { ...NO_TOKENS, input: 10, output: 5 };

/** What a state is after corrections, as whoever sums rows sees it. */
const sumOf = (start: BilledState, differences: readonly ReturnType<typeof difference>[]) => ({
  counts: Object.fromEntries(
    TOKEN_CLASSES.map((name) => [name, differences.reduce((sum, d) => sum + d.counts[name], start.counts[name])]),
  ),
  webSearches: differences.reduce((sum, d) => sum + d.webSearches, start.webSearches),
  costNanos: differences.reduce((sum, d) => sum + d.costNanos, start.costNanos),
  listCostNanos: differences.reduce((sum, d) => sum + d.listCostNanos, start.listCostNanos),
});

it('adds up: a row and its corrections are what was stated last, whatever was stated before', () => {
  const statements = fc.array(
    fc.record(
      {
        counts,
        webSearches: fc.nat({ max: 9 }),
        costNanos: fc.bigInt({ min: 0n, max: 10n ** 12n }),
      },
      { requiredKeys: [] },
    ),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(cards, statements, (card, all) => {
      const price = priceOf(card, 'm', 'acme');
      const start = state();
      let now = start;
      const differences = all.map((stated) => {
        const after = restated(now, stated, price) ?? now;
        const changed = difference(now, after);
        now = { ...now, ...after, corrections: now.corrections + 1 };
        return changed;
      });
      const { counts: last, webSearches, costNanos, listCostNanos } = now;
      expect(sumOf(start, differences)).toEqual({ counts: last, webSearches, costNanos, listCostNanos });
      if (now.formula !== STATED && all.length > 0 && price)
        expect(now.costNanos).toBe(
          cost(
            price,
            now,
            FORMULAS.find((each) => each === now.formula),
          ),
        );
    }),
  );
});

describe('restated', () => {
  const price = { ...Object.fromEntries(TOKEN_CLASSES.map((name) => [name, 1_000_000n])) } as never;

  it('prices by the card and the formula that the call is billed by', () => {
    expect(restated(state({ formula: 1 }), { counts: told, webSearches: 0 }, price)).toEqual({
      counts: told,
      webSearches: 0,
      serviceTier: null,
      rateCard: 3,
      formula: 1,
      costNanos: 15n,
      listCostNanos: 15n,
    });
  });

  it('takes a stated cost as it is, and says that nothing follows from it', () => {
    const stated = restated(state(), { costNanos: 7n }, undefined);
    expect(stated).toMatchObject({ counts: state().counts, formula: STATED, costNanos: 7n, listCostNanos: 7n });
    const again = restated(state({ formula: STATED, ownFormula: 1 }), { counts: told }, price);
    expect(again).toMatchObject({ formula: 1, costNanos: 15n });
  });

  it('knows no cost without a price', () => {
    expect(restated(state(), { counts: told }, undefined)).toBeUndefined();
  });
});

it('prices the same usage by another card, or by none', () => {
  const price = { ...Object.fromEntries(TOKEN_CLASSES.map((name) => [name, 2_000_000n])) } as never;
  expect(repriced(state(), 9, price)).toMatchObject({ rateCard: 9, formula: FORMULA, costNanos: 2_600n });
  expect(nothing(state())).toMatchObject({ counts: NO_TOKENS, webSearches: 0, costNanos: 0n, rateCard: 3, formula: 2 });
});

it('knows a difference that is none', () => {
  const before = state();
  expect(isNothing(difference(before, before))).toBe(true);
  expect(isNothing(difference(before, { ...before, listCostNanos: 5_001n }))).toBe(false);
  expect(isNothing(difference(before, { ...before, counts: told }))).toBe(false);
});

it('gives corrections ids that stand behind their row in their order', () => {
  const at = new Date('2026-11-22T10:00:00.123Z');
  const ids = [uuid7(at.getTime()), ...[1, 2, 3].map((ordinal) => uuid7(idTimeOf(at, ordinal)))];
  expect(ids.toSorted()).toEqual(ids);
});
