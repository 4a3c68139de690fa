import { formatNanos } from '@app/platform';
import type { ClassPrices, Fees, TierPrice } from '../pricing/model-price';
import { tierOf } from '../pricing/pricing';
import { TOKEN_CLASSES, type TokenClass } from '../pricing/token-counts';
import { fullPrice, type CardPrices, type StatedExchange, type StatedPrice } from './rate-card';

/** What calls of one class cost before and after, per million tokens. */
export interface PriceChange {
  readonly tokenClass: TokenClass;
  /** Of prompts above the threshold. */
  readonly longContext: boolean;
  readonly from: string;
  readonly to: string;
  /** Signed, with two decimals, halves rounded away from zero; null where it cost nothing before. */
  readonly changePercent: string | null;
}

/** What calls in one service tier cost before and after. */
export interface TierChange {
  /** Where the threshold of long prompts moves; null where there is none. */
  readonly aboveTokens?: { readonly from: number | null; readonly to: number | null };
  readonly prices: readonly PriceChange[];
}

export interface FeeChange {
  readonly fee: keyof Fees;
  readonly from: string;
  readonly to: string;
  readonly changePercent: string | null;
}

/** Of itself it has the changes of the standard tier. */
export interface ModelChange extends TierChange {
  readonly model: string;
  readonly tiers?: readonly (TierChange & { readonly tier: string })[];
  readonly fees?: readonly FeeChange[];
}

export interface PriceDiff {
  readonly added: readonly StatedPrice[];
  readonly removed: readonly StatedPrice[];
  readonly changed: readonly ModelChange[];
}

export interface CardDiff extends PriceDiff {
  /** Null where prices are stated in the card's currency; left out where nothing changes. */
  readonly exchange?: { readonly from: StatedExchange | null; readonly to: StatedExchange | null };
  /** In percent, by tenant; null where it has none of its own. */
  readonly markups: readonly { readonly tenant: string; readonly from: string | null; readonly to: string | null }[];
}

/** Compares two cards in their canonical form: prices as the cards state them, exchange and markups beside them. */
export function diffCards(from: CardPrices, to: CardPrices): CardDiff {
  const [before, after] = [from, to].map(
    ({ markups = [] }) => new Map(markups.map(({ tenant, percent }) => [tenant, percent])),
  ) as [Map<string, string>, Map<string, string>];
  const exchange = { from: from.exchange ?? null, to: to.exchange ?? null };
  return {
    ...diffPrices(from.prices, to.prices),
    ...(JSON.stringify(exchange.from) !== JSON.stringify(exchange.to) && { exchange }),
    markups: [...new Set([...before.keys(), ...after.keys()])]
      .sort()
      .map((tenant) => ({ tenant, from: before.get(tenant) ?? null, to: after.get(tenant) ?? null }))
      .filter((change) => change.from !== change.to),
  };
}

/**
 * Compares two price lists by what calls cost. A class that is stated on one of them only, at the price it followed anyway,
 * is no change; one that follows a changed price changes with it.
 */
export function diffPrices(from: readonly StatedPrice[], to: readonly StatedPrice[]): PriceDiff {
  const before = new Map(from.map((price) => [price.model, price]));
  const after = new Map(to.map((price) => [price.model, price]));
  return {
    added: sorted([...after.values()].filter(({ model }) => !before.has(model))),
    removed: sorted([...before.values()].filter(({ model }) => !after.has(model))),
    changed: sorted(
      [...after.values()].flatMap((price) => {
        const former = before.get(price.model);
        return former ? changeOf(former, price) : [];
      }),
    ),
  };
}

const sorted = <Item extends { readonly model: string }>(items: Item[]): Item[] =>
  items.sort((a, b) => (a.model < b.model ? -1 : 1));

function changeOf(former: StatedPrice, latter: StatedPrice): ModelChange[] {
  const [from, to] = [fullPrice(former), fullPrice(latter)];
  const change = tierChange(from, to);
  const names = [...new Set([...(from.tiers?.keys() ?? []), ...(to.tiers?.keys() ?? [])])].sort();
  const tiers = names.map((tier) => ({ tier, ...tierChange(tierOf(from, tier), tierOf(to, tier)) })).filter(isChange);
  const fees = feeChanges(from.fees, to.fees);
  const whole = { ...change, ...(tiers.length > 0 && { tiers }), ...(fees.length > 0 && { fees }) };
  return isChange(change) || tiers.length > 0 || fees.length > 0 ? [{ model: latter.model, ...whole }] : [];
}

const isChange = ({ aboveTokens, prices }: TierChange): boolean => aboveTokens !== undefined || prices.length > 0;

function tierChange(from: TierPrice, to: TierPrice): TierChange {
  const prices = classChanges(from, to, false);
  // Without a threshold long prompts cost what all do.
  if (from.longContext || to.longContext)
    prices.push(...classChanges(from.longContext?.prices ?? from, to.longContext?.prices ?? to, true));
  const [above, newAbove] = [from.longContext?.aboveTokens ?? null, to.longContext?.aboveTokens ?? null];
  return above === newAbove ? { prices } : { aboveTokens: { from: above, to: newAbove }, prices };
}

const NO_FEES: Fees = { request: 0n, webSearch: 0n };

const feeChanges = (from: Fees = NO_FEES, to: Fees = NO_FEES): FeeChange[] =>
  (['request', 'webSearch'] as const)
    .filter((fee) => from[fee] !== to[fee])
    .map((fee) => ({
      fee,
      from: formatNanos(from[fee]),
      to: formatNanos(to[fee]),
      changePercent: percent(from[fee], to[fee]),
    }));

const classChanges = (from: ClassPrices, to: ClassPrices, longContext: boolean): PriceChange[] =>
  TOKEN_CLASSES.filter(
    (tokenClass) => from[tokenClass] !== to[tokenClass] && (isSpoken(tokenClass, from) || isSpoken(tokenClass, to)),
  ).map((tokenClass) => ({
    tokenClass,
    longContext,
    from: formatNanos(from[tokenClass]),
    to: formatNanos(to[tokenClass]),
    changePercent: percent(from[tokenClass], to[tokenClass]),
  }));

/** Whether a class of audio has a price of its own: most models have none, and what followed text would only be told twice. */
const isSpoken = (tokenClass: TokenClass, prices: ClassPrices): boolean => {
  const text = ({ audioInput: 'input', audioOutput: 'output' } as const)[tokenClass as 'audioInput'];
  return text === undefined || prices[tokenClass] !== prices[text];
};

function percent(from: bigint, to: bigint): string | null {
  if (from === 0n) return null;
  const size = to > from ? to - from : from - to;
  const hundredths = (size * 20_000n + from) / (2n * from);
  return `${to > from ? '+' : '-'}${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`;
}
