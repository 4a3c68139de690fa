import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, MaxLength, Min, ValidateNested } from 'class-validator';
import { MAX_TOKENS } from '../pricing/token-counts';
import { MAX_WEB_SEARCHES } from '../pricing/usage';
import { TokenCountsView } from '../reports/usage.dto';
import { IsInstant } from '../instant.decorator';

/** One line of text, not blank at either end. */
const LINE = /^(?!\s)[^\p{Cc}\p{Cs}\u2028\u2029]+(?<!\s)$/u;
const line = { message: 'must be one line of text without blanks at its ends' };

/** All tokens of a call, each counted once; a class that is left out had none. */
export class StatedTokens {
  /**
   * Of the prompt, no cache involved.
   * @example 1200
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_TOKENS)
  input?: number;

  /** Of the prompt, spoken. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_TOKENS)
  audioInput?: number;

  /** Of the prompt, read from the provider's cache. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_TOKENS)
  cacheRead?: number;

  /** Of the prompt, written to a cache for five minutes. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_TOKENS)
  cacheWrite5m?: number;

  /** Of the prompt, written to a cache for an hour. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_TOKENS)
  cacheWrite1h?: number;

  /**
   * Of the answer, without reasoning.
   * @example 90
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_TOKENS)
  output?: number;

  /** Of the answer, spoken. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_TOKENS)
  audioOutput?: number;

  /** Reasoning. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_TOKENS)
  reasoning?: number;
}

export class CorrectRowDto {
  /** What the call really used: all of it, not the difference. Left out: as it is billed. */
  @IsOptional()
  @ValidateNested()
  @Type(() => StatedTokens)
  tokens?: StatedTokens;

  /** Searches of the web that the provider ran. Left out: as it is billed. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_WEB_SEARCHES)
  webSearches?: number;

  /**
   * What the call really cost, where that is known better than by the rate card. Left out: what follows from the usage by
   * the card and the formula that the call is billed by.
   * @example "0.0125"
   */
  @IsOptional()
  @Matches(/^\d{1,9}(\.\d{1,9})?$/, { message: 'must be a decimal amount in quotes, such as "0.0125"' })
  cost?: string;

  /**
   * Why; stands in the ledger, in bills and in the audit log.
   * @example "Provider's invoice of November, line 17"
   */
  @MaxLength(200)
  @Matches(LINE, line)
  reason!: string;
}

export const CORRECTION_EXAMPLES: Readonly<Record<string, CorrectRowDto>> = {
  'what was used': { tokens: { input: 1200, output: 90 }, reason: "Provider's invoice of November, line 17" },
  'what it cost': { cost: '0.0125', reason: "Provider's invoice of November, line 17" },
};

/** How a call is billed at one moment. */
export class BilledView {
  tokens!: TokenCountsView;

  webSearches!: number;

  /** Version of the rate card. */
  rateCard!: number;

  /** Number of the rule by which the cost follows; 0 where a person stated it. */
  formula!: number;

  /** @example "0.001275" */
  cost!: string;
}

export class CorrectionView {
  /** Of the correction itself. */
  requestId!: string;

  /** The request it corrects. */
  corrects!: string;

  /** How the call was billed until now. */
  before!: BilledView;

  /** How it is billed from now on. */
  after!: BilledView;

  /**
   * What the correction adds to bills and budgets; negative where the call was billed too high.
   * @example "-0.0113"
   */
  difference!: string;

  /**
   * Of all amounts.
   * @example "USD"
   */
  currency!: string | null;

  reason!: string;
}

export class ResolveRowsDto {
  /**
   * Rows that are booked so.
   * @example "unconfirmed"
   */
  @IsIn(['unconfirmed', 'quarantined', 'estimated'])
  status!: 'unconfirmed' | 'quarantined' | 'estimated';

  /**
   * Of calls before this instant.
   * @example "2026-11-01T00:00:00Z"
   */
  @IsInstant()
  before!: string;

  /**
   * Only this tenant's.
   * @example "finance"
   */
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9_-]{0,31}$/, { message: 'must be a tenant id' })
  tenant?: string;

  /**
   * What they are billed at from now on: as they are, or nothing.
   * @example "zero"
   */
  @IsIn(['billed', 'zero'])
  as!: 'billed' | 'zero';

  /**
   * Why; stands in the ledger, in bills and in the audit log.
   * @example "None of them is on the provider's invoice"
   */
  @MaxLength(200)
  @Matches(LINE, line)
  reason!: string;
}

export class ResolutionView {
  /** Rows that were resolved; at most 500 at once. */
  rows!: number;

  /** Whether there are more: ask again. */
  more!: boolean;

  /**
   * What that adds to bills and budgets.
   * @example "-1.25"
   */
  difference!: string;

  /**
   * Of the difference; `null` where there was none to make.
   * @example "USD"
   */
  currency!: string | null;
}
