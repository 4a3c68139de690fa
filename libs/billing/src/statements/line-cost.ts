import { formatNanos, parseNanos } from '@app/platform';
import { cost, FORMULAS, listCost, priceOf } from '../pricing/pricing';
import { NO_TOKENS, TOKEN_COLUMNS, type TokenClass } from '../pricing/token-counts';
import { malformedUsage } from '../pricing/usage';
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
    // Before there were markups the list's cost was the cost.
    listCostNanos: amountOf(cells('list_cost') || cells('cost')) ?? 0n,
    costNanos,
  };
}

/** Why a line's cost, or its cost before the markup, does not follow from what else it says; undefined if both do. */
export function miscalculation(cells: Cells, cards: ReadonlyMap<number, RateCard>): string | undefined {
  const formula = FORMULAS.find((known) => cells('formula') === String(known));
  if (formula === undefined) return `was billed by formula "${cells('formula')}", which is not known`;
  const card = cards.get(Number(cells('rate_card')));
  const price = card && priceOf(card, original(cells('model')), original(cells('tenant')));
  if (!price) return `is not priced by rate card "${cells('rate_card')}"`;
  const counts: Record<TokenClass, number> = { ...NO_TOKENS };
  for (const tokenClass of Object.keys(TOKEN_COLUMNS) as TokenClass[])
    counts[tokenClass] = countOf(cells(TOKEN_COLUMNS[tokenClass]));
  const usage = {
    counts,
    webSearches: countOf(cells('web_searches')),
    serviceTier: original(cells('service_tier')) || null,
  };
  const wrong = malformedUsage(usage);
  if (wrong) return `cannot be right: ${wrong}`;
  const due = cost(price, usage, formula);
  if (due !== amountOf(cells('cost'))) return `costs ${cells('cost')} and should cost ${formatNanos(due)}`;
  const listed = listCost(price, usage, formula);
  if (cells('list_cost') !== '' && listed !== amountOf(cells('list_cost')))
    return `costs ${cells('list_cost')} before the markup and should cost ${formatNanos(listed)}`;
  return undefined;
}

/** An empty cell is one of a column that was not there yet. */
const countOf = (text: string): number => (/^\d{0,15}$/.test(text) ? Number(text) : NaN);

const wholeOf = (text: string): bigint => (/^-?\d{1,19}$/.test(text) ? BigInt(text) : 0n);

export function amountOf(text: string): bigint | undefined {
  try {
    return parseNanos(text);
  } catch {
    return undefined;
  }
}
