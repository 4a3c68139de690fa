import { formatNanos, parseNanos } from '@app/platform';
import type { Difference } from '../corrections/correction';
import type { ModelPrice } from '../pricing/model-price';
import { cost, FORMULAS, listCost, priceOf } from '../pricing/pricing';
import { TOKEN_CLASSES, TOKEN_COLUMNS, type TokenClass, type TokenCounts } from '../pricing/token-counts';
import { malformedUsage, type Usage } from '../pricing/usage';
import type { RateCard } from '../rates/rate-card';
import { original } from '../reports/csv';
import type { SUMMED } from '../reports/report';

/** A line of a bill by the names of its columns; a column that its form does not have is empty. */
export type Cells = (column: string) => string;

/** What a line counts for in the totals, as it states it; `costNanos` is undefined where that is no amount. */
export type LineSums = Record<Exclude<(typeof SUMMED)[number], 'costNanos'>, bigint> & {
  readonly costNanos: bigint | undefined;
};

export function sumsOf(cells: Cells): LineSums {
  const costNanos = amountOf(cells('cost'));
  return {
    ...(Object.fromEntries(
      Object.entries(TOKEN_COLUMNS).map(([tokenClass, column]) => [tokenClass, wholeOf(cells(column))]),
    ) as Record<TokenClass, bigint>),
    requests: cells('status') === 'correction' ? 0n : 1n,
    webSearches: wholeOf(cells('web_searches')),
    listCostNanos: listCostOf(cells) ?? 0n,
    costNanos,
  };
}

/** What a line adds to the bill of its call: all of it, or what a correction changes. Counts that are none are `NaN`. */
export function stateOf(cells: Cells): Difference {
  const counts = Object.fromEntries(
    TOKEN_CLASSES.map((tokenClass) => [tokenClass, countOf(cells(TOKEN_COLUMNS[tokenClass]))]),
  ) as unknown as TokenCounts;
  return {
    counts,
    webSearches: countOf(cells('web_searches')),
    costNanos: amountOf(cells('cost')) ?? 0n,
    listCostNanos: listCostOf(cells) ?? 0n,
  };
}

export const serviceTierOf = (cells: Cells): string | null => original(cells('service_tier')) || null;

/** What the line's call costs by the line's own card; undefined where that has no price. */
export function linePrice(cells: Cells, cards: ReadonlyMap<number, RateCard>): ModelPrice | undefined {
  const card = cards.get(Number(cells('rate_card')));
  return card && priceOf(card, original(cells('model')), original(cells('tenant')));
}

/** What is due for a usage by a formula, or why nothing can be said. */
export function due(
  usage: Usage,
  price: ModelPrice,
  formulaCell: string,
): { readonly costNanos: bigint; readonly listCostNanos: bigint } | string {
  const formula = FORMULAS.find((known) => formulaCell === String(known));
  if (formula === undefined) return `was billed by formula "${formulaCell}", which is not known`;
  const wrong = malformedUsage(usage);
  if (wrong) return `cannot be right: ${wrong}`;
  return { costNanos: cost(price, usage, formula), listCostNanos: listCost(price, usage, formula) };
}

/** Why a line's cost, or its cost before the markup, does not follow from what else it says; undefined if both do. */
export function miscalculation(cells: Cells, cards: ReadonlyMap<number, RateCard>): string | undefined {
  const price = linePrice(cells, cards);
  if (!price) return `is not priced by rate card "${cells('rate_card')}"`;
  const { counts, webSearches } = stateOf(cells);
  const follows = due({ counts, webSearches, serviceTier: serviceTierOf(cells) }, price, cells('formula'));
  if (typeof follows === 'string') return follows;
  if (follows.costNanos !== amountOf(cells('cost')))
    return `costs ${cells('cost')} and should cost ${formatNanos(follows.costNanos)}`;
  if (follows.listCostNanos !== listCostOf(cells) && cells('list_cost') !== '')
    return `costs ${cells('list_cost')} before the markup and should cost ${formatNanos(follows.listCostNanos)}`;
  return undefined;
}

/** Before there were markups the list's cost was the cost. */
const listCostOf = (cells: Cells): bigint | undefined => amountOf(cells('list_cost') || cells('cost'));

/** An empty cell is one of a column that was not there yet. */
const countOf = (text: string): number => (/^-?\d{0,15}$/.test(text) ? Number(text) : NaN);

const wholeOf = (text: string): bigint => (/^-?\d{1,19}$/.test(text) ? BigInt(text) : 0n);

export function amountOf(text: string): bigint | undefined {
  try {
    return parseNanos(text);
  } catch {
    return undefined;
  }
}
