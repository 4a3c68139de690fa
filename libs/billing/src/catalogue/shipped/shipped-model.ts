import type { StatedPrice } from '../../rates/rate-card';

/** A model that a new gateway knows, and its list price in US dollars per million tokens. */
export interface ShippedModel {
  readonly provider: string;
  readonly name: string;
  readonly context: number;
  readonly maxOutput: number;
  /** The most tokens a picture costs, and the patches of a smaller one, see below. */
  readonly images?: readonly [tokens: number, patchPixels?: number];
  /** What a second of sound costs. */
  readonly audioTokensPerSecond?: number;
  readonly price: Omit<StatedPrice, 'model'>;
  /** Dated names of the same model at the same price. */
  readonly snapshots?: readonly string[];
}

export type ShippedModels = Readonly<Record<string, ShippedModel>>;
