import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min, MinLength } from 'class-validator';
import { IsPlainText } from '../instant.decorator';
import { TOKENIZERS, type Tokenizer } from './model-entry';

const MAX_LIMIT = 1_000_000_000;

export class PutModelDto {
  /**
   * Name of a provider in the gateway's configuration, or `local`.
   * @example "openai"
   */
  @IsString()
  @MaxLength(32)
  provider!: string;

  /**
   * What the provider calls the model. Under a pattern, `*` stands for the name that was asked for.
   * @example "gpt-4o-2024-08-06"
   */
  @Matches(/^[\x21-\x7e]{1,200}$/, { message: 'must be 1 to 200 printable characters without spaces' })
  upstreamModel!: string;

  /** @example "GPT-4o" */
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  @IsPlainText()
  displayName!: string;

  /**
   * The most tokens that prompt and answer may have together.
   * @example 128000
   */
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  contextTokens!: number;

  /**
   * The longest answer the model gives, reasoning included; requests that set no limit are reserved for this much.
   * @example 16384
   */
  @IsInt()
  @Min(0)
  @Max(MAX_LIMIT)
  maxOutputTokens!: number;

  /**
   * By which the gateway counts text where the bytes of a request leave its price too open. Left out: that of OpenAI's
   * models by their name, else none.
   * @example "o200k_base"
   */
  @IsOptional()
  @IsIn(TOKENIZERS)
  tokenizer?: Tokenizer | null;

  /**
   * The most input tokens a picture costs. Left out: as many as fit the context window.
   * @example 1600
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  imageTokens?: number | null;

  /**
   * Side in pixels of the square patches by which a picture is billed, a token each. Left out: a picture costs `imageTokens`.
   * @example 32
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000)
  imagePatchPixels?: number | null;

  /**
   * Input tokens that a second of sound costs. Left out: as many as fit the context window.
   * @example 10
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000)
  audioTokensPerSecond?: number | null;

  /**
   * The most input tokens that what one web search or fetch finds adds. Left out: as many as fit the context window.
   * @example 20000
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  searchTokens?: number | null;

  /**
   * How many web searches and fetches a request may make that says no number itself, if its tenant has `clampOutput` or it is one
   * of the responses API. Left out: it is refused, or goes without.
   * @example 5
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  maxSearches?: number | null;
}

export class ModelView extends PutModelDto {
  /**
   * The name callers use, or a pattern ending in `*`.
   * @example "gpt-4o"
   */
  id!: string;

  /**
   * Why calls of it are refused: the card in force does not price it, or its provider is not configured.
   * @example []
   */
  warnings!: ('not_priced' | 'provider_not_configured')[];

  createdAt!: string;

  updatedAt!: string;
}

export class ModelPage {
  items!: ModelView[];

  /** Give it back as `cursor` for the next page; `null` on the last. */
  nextCursor!: string | null;
}
