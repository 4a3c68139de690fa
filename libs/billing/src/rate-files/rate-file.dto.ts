import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { IsInstant, IsPlainText } from '../instant.decorator';
import { CardCorrectionPreview } from '../corrections/card-correction.dto';
import { CardCorrectionDto, CURRENCY, currency, ExchangeDto, MarkupDto, MAX_MARKUPS } from '../rates/rate-card.dto';
import { PriceDiffView } from '../rates/rate-card-diff.dto';
import { RATE_FILE_FORMATS } from './rate-file';

/** LiteLLM's map has 1.7 million characters; text grows by its escapes when it becomes a JSON string. */
export const MAX_FILE_BODY_BYTES = 8_388_608;

export class ImportRateFileDto extends CardCorrectionDto {
  /**
   * `yaml`: a card as this API takes it, also as JSON. `csv`: prices in columns. `litellm`: LiteLLM's public price map,
   * `model_prices_and_context_window.json`.
   * @example "csv"
   */
  @IsIn(RATE_FILE_FORMATS)
  format!: 'yaml' | 'csv' | 'litellm';

  /**
   * The file's text.
   * @example "model,input,output\ngpt-4o,2.50,10.00\n"
   */
  @IsString()
  @IsNotEmpty()
  text!: string;

  /**
   * When the card takes effect; in the past only as a correction. Left out: when the file says, else now.
   * @example "2027-01-01T00:00:00.000Z"
   */
  @IsOptional()
  @IsInstant()
  effectiveAt?: string;

  /**
   * ISO 4217 code of what is billed. Left out: as the file says, else that of the card before.
   * @example "USD"
   */
  @IsOptional()
  @Matches(CURRENCY, currency)
  currency?: string;

  /** Where prices are stated in another currency. LiteLLM's are in `USD`. Left out: as the file says; with `merge`, as before. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ExchangeDto)
  exchange?: ExchangeDto;

  /** Left out: as the file says; with `merge`, as before. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_MARKUPS)
  @ValidateNested({ each: true })
  @Type(() => MarkupDto)
  markups?: MarkupDto[];

  /** Where the prices come from. Left out: what the file says. */
  @IsOptional()
  @IsString()
  @MaxLength(500)
  @IsPlainText()
  note?: string;

  /** Keep the prices of models that the file does not name, from the card before. Left out: the file is the whole list. */
  @IsOptional()
  @IsBoolean()
  merge?: boolean;

  /**
   * For `litellm`: only entries of these providers (`litellm_provider`). Left out: of all.
   * @example ["anthropic", "openai"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsString({ each: true })
  providers?: string[];

  /**
   * For `litellm`: only entries of these modes (`mode`). Left out: `chat`, `embedding` and `responses`.
   * @example ["chat"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsString({ each: true })
  modes?: string[];

  /** Answer what the import would change, and change nothing. */
  @IsOptional()
  @IsBoolean()
  dryRun?: boolean;
}

const LITELLM_MAP = JSON.stringify({
  'gpt-4o': {
    litellm_provider: 'openai',
    mode: 'chat',
    input_cost_per_token: 2.5e-6,
    output_cost_per_token: 1e-5,
  },
});

/** Nothing is imported by them: the first thing to do with a list of prices is to look at what it changes. */
export const RATE_FILE_EXAMPLES: Readonly<Record<string, ImportRateFileDto>> = {
  'some prices, from a spreadsheet': {
    format: 'csv',
    text: 'model,input,output\ngpt-4o,2.50,10.00\n',
    effectiveAt: '2037-01-01T00:00:00Z',
    note: 'Contract 2026-17',
    merge: true,
    dryRun: true,
  },
  "LiteLLM's map": { format: 'litellm', text: LITELLM_MAP, providers: ['openai'], merge: true, dryRun: true },
};

export class SkippedEntryView {
  /** @example "gemini/gemini-2.5-flash" */
  model!: string;

  /** @example "input_cost_per_audio_token: a card has no such price" */
  reason!: string;
}

export class CardChangeView extends PriceDiffView {
  /** Version of the card before: the one in force when the new one takes effect. Null if there is none. */
  from!: number | null;
}

export class RateFileReport {
  /** The card's version; null after a dry run, which makes none. */
  version!: number | null;

  effectiveAt!: string;

  /** When the next card, of those that there are, takes its place; `null` if none does. A correction may end before today. */
  endsAt!: string | null;

  /** @example "USD" */
  currency!: string;

  /** How many models and patterns the card prices. */
  models!: number;

  /** What changes from the card before. */
  diff!: CardChangeView;

  /** Entries of the file that a card cannot say, and why not. They are not on the card. */
  skipped!: SkippedEntryView[];

  /** How many entries of the file `providers` and `modes` left out. */
  filtered!: number;

  /** Models of the catalogue that have no price on the card: calls of them are refused while it is in force. None where the card's time is over. */
  unpriced!: string[];

  /** Models that were called in the last 30 days and have no price on the card. None where the card's time is over. */
  unpricedInUse!: string[];

  /** Tenants of the card's `markups` that this gateway does not have: mistyped, or yet to come. */
  unknownTenants!: string[];

  /** After a dry run of a correction: what it would book. Null otherwise. */
  corrections!: CardCorrectionPreview | null;
}
