import { formatNanos } from '@app/platform';
import type { ClassPrices } from '../pricing/model-price';
import { TOKEN_CLASSES, type TokenClass } from '../pricing/token-counts';
import { fullPrice, type StatedPrice } from './rate-card';

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

export interface ModelChange {
  readonly model: string;
  /** Where the threshold of long prompts moves; null where there is none. */
  readonly aboveTokens?: { readonly from: number | null; readonly to: number | null };
  readonly prices: readonly PriceChange[];
}

export interface PriceDiff {
  readonly added: readonly StatedPrice[];
  readonly removed: readonly StatedPrice[];
  readonly changed: readonly ModelChange[];
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
  const prices = classChanges(from, to, false);
  // Without a threshold long prompts cost what all do.
  if (from.longContext || to.longContext)
    prices.push(...classChanges(from.longContext?.prices ?? from, to.longContext?.prices ?? to, true));
  const [above, newAbove] = [from.longContext?.aboveTokens ?? null, to.longContext?.aboveTokens ?? null];
  if (above !== newAbove) return [{ model: latter.model, aboveTokens: { from: above, to: newAbove }, prices }];
  return prices.length > 0 ? [{ model: latter.model, prices }] : [];
}

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
