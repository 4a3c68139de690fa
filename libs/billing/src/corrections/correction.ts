import { cost, FORMULA, FORMULAS, listCost, type Formula } from '../pricing/pricing';
import type { ModelPrice } from '../pricing/model-price';
import { TOKEN_CLASSES, type TokenCounts } from '../pricing/token-counts';
import { NO_USAGE, type Usage } from '../pricing/usage';

/** The formula of a cost that a person has stated: it follows from nothing, so it is not computed again. */
export const STATED = 0;

/** What a call is billed at: its row and all its corrections so far, added up. */
export interface BilledState extends Usage {
  readonly costNanos: bigint;
  /** Before the tenant's markup or discount. */
  readonly listCostNanos: bigint;
  /** Of the last correction, or of the row itself. */
  readonly rateCard: number;
  /** Of the last correction, or of the row itself. */
  readonly formula: number;
  /** Of the row itself. */
  readonly ownFormula: number;
  /** How many there are so far. */
  readonly corrections: number;
}

/** What the usage of a call really was; what is left out is as it is billed. */
export interface StatedUsage {
  readonly counts?: TokenCounts | undefined;
  readonly webSearches?: number | undefined;
  /** Instead of what follows from the rate card. */
  readonly costNanos?: bigint | undefined;
}

/** How a call is to be billed from now on. */
export type Repriced = Omit<BilledState, 'corrections' | 'ownFormula'>;

/** What a correction adds to a call's bill; any of it may be negative. */
export type Difference = Pick<Repriced, 'counts' | 'webSearches' | 'costNanos' | 'listCostNanos'>;

/**
 * The state after a correction of the usage, priced by the card and the formula that the call is billed by.
 * @param price of the call's model for its tenant under that card; undefined when there is none
 * @returns undefined when no cost follows, because there is no price
 */
export function restated(state: BilledState, stated: StatedUsage, price: ModelPrice | undefined): Repriced | undefined {
  const { rateCard, serviceTier } = state;
  const usage: Usage = {
    counts: stated.counts ?? state.counts,
    webSearches: stated.webSearches ?? state.webSearches,
    serviceTier,
  };
  if (stated.costNanos === undefined) return price && priced(usage, rateCard, formulaOf(state), price);
  const { costNanos } = stated;
  return { ...usage, rateCard, formula: STATED, costNanos, listCostNanos: costNanos };
}

/** The same usage by another card. */
export const repriced = ({ counts, webSearches, serviceTier }: BilledState, rateCard: number, price: ModelPrice) =>
  priced({ counts, webSearches, serviceTier }, rateCard, FORMULA, price);

function priced(usage: Usage, rateCard: number, formula: Formula, price: ModelPrice): Repriced {
  const listCostNanos = listCost(price, usage, formula);
  return { ...usage, rateCard, formula, costNanos: cost(price, usage, formula), listCostNanos };
}

/** A call that nobody used anything of. */
export const nothing = (state: BilledState): Repriced => ({
  ...NO_USAGE,
  serviceTier: state.serviceTier,
  rateCard: state.rateCard,
  formula: formulaOf(state),
  costNanos: 0n,
  listCostNanos: 0n,
});

/** A formula nobody knows is no reason to leave a row wrong: it is priced as calls are now. */
function formulaOf({ formula, ownFormula }: BilledState): Formula {
  const last = formula === STATED ? ownFormula : formula;
  return FORMULAS.find((known) => known === last) ?? FORMULA;
}

export function difference(before: BilledState, after: Repriced): Difference {
  const counts = Object.fromEntries(
    TOKEN_CLASSES.map((tokenClass) => [tokenClass, after.counts[tokenClass] - before.counts[tokenClass]]),
  ) as unknown as TokenCounts;
  return {
    counts,
    webSearches: after.webSearches - before.webSearches,
    costNanos: after.costNanos - before.costNanos,
    listCostNanos: after.listCostNanos - before.listCostNanos,
  };
}

export const isNothing = ({ counts, webSearches, costNanos, listCostNanos }: Difference): boolean =>
  webSearches === 0 &&
  costNanos === 0n &&
  listCostNanos === 0n &&
  TOKEN_CLASSES.every((tokenClass) => counts[tokenClass] === 0);

/**
 * The time in a correction's id: that of the row it corrects, and a millisecond more for each correction of it. So the
 * corrections of a row are found like the row itself, and stand behind it in their order wherever rows are sorted by time
 * and id.
 */
export const idTimeOf = (at: Date, ordinal: number): number => at.getTime() + ordinal;
