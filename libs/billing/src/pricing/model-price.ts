import type { TokenClass } from './token-counts';

/** Nano-units of the card's currency per million tokens, for every class. */
export type ClassPrices = Readonly<Record<TokenClass, bigint>>;

/** What a model costs, and what it costs instead once a prompt is long. */
export interface ModelPrice extends ClassPrices {
  /** Holds for all tokens of a call whose input, cached tokens included, is more than `aboveTokens`. */
  readonly longContext?: { readonly aboveTokens: number; readonly prices: ClassPrices } | undefined;
}
