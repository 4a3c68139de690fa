import { Matches } from 'class-validator';
import { ExchangeDto, ModelPriceDto } from './rate-card.dto';

/** Names the card in force, where a version is asked for. */
export const IN_FORCE = 'in-force';

const VERSION = /^(?:in-force|[1-9]\d{0,8})$/;
const version = { message: 'must be the version of a rate card, or "in-force"' };

export class RateCardDiffQuery {
  /**
   * Version of the former card, or `in-force`.
   * @example "1"
   */
  @Matches(VERSION, version)
  from!: string;

  /**
   * Version of the latter card, or `in-force`.
   * @example "2"
   */
  @Matches(VERSION, version)
  to!: string;
}

export class PriceChangeView {
  /** @example "output" */
  tokenClass!:
    'input' | 'audioInput' | 'output' | 'audioOutput' | 'cacheRead' | 'cacheWrite5m' | 'cacheWrite1h' | 'reasoning';

  /** Whether it is the price of prompts above the threshold. */
  longContext!: boolean;

  /**
   * Per million tokens.
   * @example "10.00"
   */
  from!: string;

  /** @example "12.00" */
  to!: string;

  /**
   * Signed, rounded to two decimals; null where it cost nothing before.
   * @example "+20.00"
   */
  changePercent!: string | null;
}

export class ThresholdChangeView {
  /** Null where long prompts cost what all do. */
  from!: number | null;

  to!: number | null;
}

/** What calls in one service tier cost before and after. */
export class TierChangeView {
  /** Where the threshold of long prompts moves; left out where it does not. */
  aboveTokens?: ThresholdChangeView;

  prices!: PriceChangeView[];
}

export class NamedTierChangeView extends TierChangeView {
  /** @example "priority" */
  tier!: string;
}

export class FeeChangeView {
  /** @example "webSearch" */
  fee!: 'request' | 'webSearch';

  /**
   * For each.
   * @example "0.01"
   */
  from!: string;

  /** @example "0.012" */
  to!: string;

  /**
   * Signed, rounded to two decimals; null where it cost nothing before.
   * @example "+20.00"
   */
  changePercent!: string | null;
}

/** Of itself it has the changes of the standard tier. */
export class ModelChangeView extends TierChangeView {
  /** @example "gpt-4o" */
  model!: string;

  /** Changes in the tiers that either card states; left out where there are none. */
  tiers?: NamedTierChangeView[];

  /** Left out where no fee changes. */
  fees?: FeeChangeView[];
}

export class ExchangeChangeView {
  /** Null where the prices are stated in the card's currency. */
  from!: ExchangeDto | null;

  to!: ExchangeDto | null;
}

export class MarkupChangeView {
  /** @example "finance" */
  tenant!: string;

  /**
   * In percent; null where the tenant has none of its own.
   * @example "10.00"
   */
  from!: string | null;

  /** @example "12.50" */
  to!: string | null;
}

/** The changes in the order of the models' names. */
export class PriceDiffView {
  /** Prices of models that the former card does not name. */
  added!: ModelPriceDto[];

  /** Former prices of models that the latter card does not name. */
  removed!: ModelPriceDto[];

  changed!: ModelChangeView[];

  /** Left out where it does not change. */
  exchange?: ExchangeChangeView;

  /** By tenant. */
  markups!: MarkupChangeView[];
}

export class RateCardDiffView extends PriceDiffView {
  from!: number;

  to!: number;
}
