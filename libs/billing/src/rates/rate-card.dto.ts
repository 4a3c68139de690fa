import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { ApiExtraModels } from '@nestjs/swagger';
import { IsInstant, IsPlainText } from '../instant.decorator';
import { IsTiers } from './tiers.decorator';

/** Up to a million currency units with nine decimals: exactly what fits in nano-units. */
const DECIMAL = /^(?:\d{1,6}(?:\.\d{1,9})?|1000000(?:\.0{1,9})?)$/;
const decimal = { message: 'must be a decimal string from 0 to 1000000 with at most 9 decimals, such as "2.50"' };

/** One line of text, not blank at either end. */
const REASON = /^(?!\s)[^\p{Cc}\p{Cs}\u2028\u2029]+(?<!\s)$/u;

/** A model's name, or a prefix ending in `*`. */
export const MODEL_PATTERN = /^(?:[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}\*?|\*)$/;
export const modelPattern = {
  message:
    'must be a model name of letters, digits and . _ : / @ + -, which begins with a letter or a digit, or a prefix of one that ends in "*"',
};

export const CURRENCY = /^[A-Z]{3}$/;
export const currency = { message: 'must be a currency code of three capital letters' };

const PERCENT = /^(?:-?(?:\d{1,2}(?:\.\d{1,9})?|100(?:\.0{1,9})?)|\d{1,3}(?:\.\d{1,9})?|1000(?:\.0{1,9})?)$/;

/** A line for each tenant of a large gateway. */
export const MAX_MARKUPS = 10_000;

/** More than any provider has; a card is held in memory and compared as a whole. */
export const MAX_PRICES = 5_000;

/** Prices per million tokens, as exact decimals. A class left out is billed like its neighbour, as each says. */
export class ClassPricesDto {
  /**
   * Tokens of the prompt that no cache was involved in.
   * @example "2.50"
   */
  @Matches(DECIMAL, decimal)
  input!: string;

  /**
   * Tokens of the answer.
   * @example "10.00"
   */
  @Matches(DECIMAL, decimal)
  output!: string;

  /**
   * Prompt tokens read from the provider's cache; like `input` if left out.
   * @example "0.25"
   */
  @IsOptional()
  @Matches(DECIMAL, decimal)
  cacheRead?: string;

  /**
   * Prompt tokens written to a cache for five minutes; like `input` if left out.
   * @example "3.125"
   */
  @IsOptional()
  @Matches(DECIMAL, decimal)
  cacheWrite5m?: string;

  /**
   * Prompt tokens written to a cache for an hour; like `cacheWrite5m` if left out.
   * @example "5.00"
   */
  @IsOptional()
  @Matches(DECIMAL, decimal)
  cacheWrite1h?: string;

  /**
   * Tokens the model reasoned with; like `output` if left out.
   * @example "10.00"
   */
  @IsOptional()
  @Matches(DECIMAL, decimal)
  reasoning?: string;

  /**
   * Spoken tokens of the prompt; like `input` if left out.
   * @example "40.00"
   */
  @IsOptional()
  @Matches(DECIMAL, decimal)
  audioInput?: string;

  /**
   * Spoken tokens of the answer; like `output` if left out.
   * @example "80.00"
   */
  @IsOptional()
  @Matches(DECIMAL, decimal)
  audioOutput?: string;
}

export class LongContextDto extends ClassPricesDto {
  /**
   * Input of all classes together, above which these prices hold for the whole call.
   * @example 200000
   */
  @IsInt()
  @Min(1)
  @Max(1_000_000_000)
  aboveTokens!: number;
}

/** All prices of a service tier; none of them follows another tier. */
export class TierPriceDto extends ClassPricesDto {
  /** Other prices for calls with a long prompt, where the provider has such. */
  @IsOptional()
  @ValidateNested()
  @Type(() => LongContextDto)
  longContext?: LongContextDto;
}

/** Prices of what is billed by the piece. */
export class FeesDto {
  /**
   * For each call that used anything.
   * @example "0.001"
   */
  @IsOptional()
  @Matches(DECIMAL, decimal)
  request?: string;

  /**
   * For each search of the web that the provider runs.
   * @example "0.01"
   */
  @IsOptional()
  @Matches(DECIMAL, decimal)
  webSearch?: string;
}

// Named here, because a decorator of a member cannot tell the document of a class.
@ApiExtraModels(TierPriceDto)
export class ModelPriceDto extends TierPriceDto {
  /**
   * The model as callers name it, or a prefix ending in `*`; the longest match wins.
   * @example "gpt-4o"
   */
  @Matches(MODEL_PATTERN, modelPattern)
  model!: string;

  /** Other prices in service tiers of the provider, by its names of them; a tier left out costs what the standard one costs. */
  @IsOptional()
  @IsTiers(TierPriceDto)
  tiers?: Record<string, TierPriceDto>;

  /** What is billed by the piece; a fee left out is none. */
  @IsOptional()
  @ValidateNested()
  @Type(() => FeesDto)
  fees?: FeesDto;
}

/** The prices are stated in another currency than calls are billed in. */
export class ExchangeDto {
  /**
   * ISO 4217 code of the currency of the prices.
   * @example "USD"
   */
  @Matches(CURRENCY, currency)
  from!: string;

  /**
   * What one unit of it costs in the card's currency.
   * @example "0.9213"
   */
  @Matches(DECIMAL, decimal)
  @Matches(/[1-9]/, { message: 'must be more than 0' })
  rate!: string;
}

/** What a tenant pays more than the list price, or less. */
export class MarkupDto {
  /**
   * A tenant's id, or `*` for all that are not named.
   * @example "finance"
   */
  @Matches(/^(?:[a-z0-9][a-z0-9_-]{0,31}|\*)$/, { message: 'must be a tenant id, or "*" for all others' })
  tenant!: string;

  /**
   * In percent of the list price; a discount is negative.
   * @example "-12.5"
   */
  @Matches(PERCENT, { message: 'must be a decimal string from -100 to 1000 with at most 9 decimals, such as "12.5"' })
  percent!: string;
}

/** What makes a card for a time in the past a correction. */
export class CardCorrectionDto {
  /**
   * The card takes effect in the past, because it should have been in force since: calls that another card has priced since
   * then, up to the next card, are corrected by the difference. No row is changed.
   */
  @IsOptional()
  @IsBoolean()
  correction?: boolean;

  /**
   * Why; needed for a correction, and only there. Stands in the ledger, in bills and in the audit log.
   * @example "The contract has another price since October"
   */
  @IsOptional()
  @MaxLength(150)
  @Matches(REASON, { message: 'must be one line of text without blanks at its ends' })
  reason?: string;
}

export class ImportRateCardDto extends CardCorrectionDto {
  /**
   * When the card takes effect: now or later, to the millisecond; earlier only as a correction. Left out: now.
   * @example "2027-01-01T00:00:00.000Z"
   */
  @IsOptional()
  @IsInstant()
  effectiveAt?: string;

  /**
   * ISO 4217 code of what is billed. All cards have the same.
   * @example "USD"
   */
  @Matches(CURRENCY, currency)
  currency!: string;

  /** Left out: the prices are stated in the card's currency. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ExchangeDto)
  exchange?: ExchangeDto;

  /** One entry for each tenant. Left out: all pay the list price. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_MARKUPS)
  @ValidateNested({ each: true })
  @Type(() => MarkupDto)
  markups?: MarkupDto[];

  /**
   * Where the prices come from.
   * @example "List prices of 1 November 2026"
   */
  @IsOptional()
  @IsString()
  @MaxLength(500)
  @IsPlainText()
  note?: string;

  /** One entry for each model or pattern. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_PRICES)
  @ValidateNested({ each: true })
  @Type(() => ModelPriceDto)
  prices!: ModelPriceDto[];
}

export class InForceQuery {
  /** The instant asked about; now if left out. */
  @IsOptional()
  @IsInstant()
  at?: string;
}

export class RateCardView {
  /** @example 3 */
  version!: number;

  /**
   * One card is `in_force`; `past` ones were, `scheduled` ones will be.
   * @example "in_force"
   */
  state!: 'past' | 'in_force' | 'scheduled';

  effectiveAt!: string;

  /** @example "USD" */
  currency!: string;

  note!: string;

  /** SHA-256 (hex) of the card's canonical text, by which a copy can be told to be the same. */
  hash!: string;

  /** How many models and patterns it prices. */
  models!: number;

  createdAt!: string;

  /** Name of the admin key that imported it. */
  createdBy!: string;
}

export class RateCardDetail extends RateCardView {
  /** Left out where prices are stated in the card's currency. */
  exchange?: ExchangeDto;

  /** Left out where all pay the list price. */
  markups?: MarkupDto[];

  /** As stated, in canonical form. */
  prices!: ModelPriceDto[];
}

export class ImportedRateCard extends RateCardDetail {
  /** Tenants of `markups` that this gateway does not have: mistyped, or yet to come. */
  unknownTenants!: string[];
}

export class RateCardPage {
  items!: RateCardView[];

  /** Give it back as `cursor` for the next page; `null` on the last. */
  nextCursor!: string | null;
}
