import type { Ratio } from './ratio';
import type { TokenClass } from './token-counts';

/** Nano-units of the currency the card is stated in per million tokens, for every class. */
export type ClassPrices = Readonly<Record<TokenClass, bigint>>;

/** In the order of `TOKEN_CLASSES`, and written out for the reason that `byClass` is; not by the same function, because each finds members fast only in objects of few kinds. */
export const pricesByClass = (prices: ClassPrices): readonly bigint[] => [
  prices.input,
  prices.cacheRead,
  prices.cacheWrite5m,
  prices.cacheWrite1h,
  prices.audioInput,
  prices.output,
  prices.reasoning,
  prices.audioOutput,
];

/** What tokens cost in one service tier, and what they cost instead once a prompt is long. */
export interface TierPrice extends ClassPrices {
  /** Holds for all tokens of a call whose input, cached tokens included, is more than `aboveTokens`. */
  readonly longContext?: { readonly aboveTokens: number; readonly prices: ClassPrices } | undefined;
  /** Whether the card states what spoken input costs, be it what text costs; without, that only follows. */
  readonly hears?: true;
  /** The same of spoken output. */
  readonly speaks?: true;
}

/** Nano-units of the currency the card is stated in, for each. */
export interface Fees {
  /** For a call that used anything. */
  readonly request: bigint;
  readonly webSearch: bigint;
}

/** All that a call of a model costs a tenant. Of itself it has the prices of the standard tier. */
export interface ModelPrice extends TierPrice {
  readonly fees?: Fees | undefined;
  /** By the provider's name of a service tier. A tier that is not there costs what the standard one costs. */
  readonly tiers?: ReadonlyMap<string, TierPrice> | undefined;
  /** From the currency the card is stated in to the one it bills in. */
  readonly exchange?: Ratio | undefined;
  /** What the tenant pays of the list price: 1 with the markup or without the discount. */
  readonly markup?: Ratio | undefined;
}
