import { PageQuery } from '@app/platform';
import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsObject,
  IsOptional,
  Matches,
  MaxLength,
  ValidateIf,
} from 'class-validator';
import { LINE, LINE_TEXT, MAX_MODEL_PATTERNS, MODEL_PATTERN, MODEL_PATTERN_TEXT, TENANT_ID } from '../words';

export const TENANT_STATUSES = ['active', 'suspended', 'deleted'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

const SETTINGS_EXAMPLE = { budgetContact: 'finance-ops@example.com', clampOutput: true };

/** What a tenant may set for itself; `tenant-settings.ts` checks it. */
export class TenantSettingsDto {
  /**
   * Whom to ask about the budget; people read it when it is used up.
   * @example "finance-ops@example.com"
   */
  budgetContact?: string;

  /**
   * Whether a request that the budget does not cover gets a shorter answer instead of a refusal; left out: no. The answer
   * then has the header `x-openclawmu-output-clamped`.
   * @example true
   */
  clampOutput?: boolean;

  /**
   * For how many seconds an answer is kept and given again to the same request, up to 30 days and to what the gateway allows;
   * left out: not at all.
   * @example 3600
   */
  cacheSeconds?: number;
}

export class CreateTenant {
  /**
   * 1 to 32 of a-z, 0-9, "-" and "_", starting with a letter or digit. It is part of every token and never given twice.
   * @example "finance"
   */
  @Matches(TENANT_ID, { message: 'id must be 1 to 32 of a-z, 0-9, "-" and "_", starting with a letter or digit' })
  id!: string;

  /**
   * The department's name. Left out: the id.
   * @example "Finance"
   */
  @IsOptional()
  @MaxLength(100)
  @Matches(LINE, { message: `name ${LINE_TEXT}` })
  name?: string;

  /**
   * Where the bill goes.
   * @example "CC-4711"
   */
  @IsOptional()
  @MaxLength(64)
  @Matches(LINE, { message: `costCenter ${LINE_TEXT}` })
  costCenter?: string | null;

  /**
   * Models the tenant may use: names, or beginnings of names that end in "*". Left out or null: all; an empty list: none.
   * @example ["claude-*", "gpt-5"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_MODEL_PATTERNS)
  @ArrayUnique()
  @Matches(MODEL_PATTERN, { each: true, message: `allowedModels ${MODEL_PATTERN_TEXT}` })
  allowedModels?: string[] | null;

  /**
   * Whether requests and answers of its calls are kept, encrypted, where the gateway has a prompt log. The department can see this.
   * @example false
   */
  @IsOptional()
  @IsBoolean()
  promptLog?: boolean;

  @ApiProperty({ type: () => TenantSettingsDto, required: false, example: SETTINGS_EXAMPLE })
  @IsOptional()
  @IsObject()
  settings?: Record<string, unknown>;
}

/** What is left out stays as it is; null clears. */
export class ChangeTenant {
  /** @example "Finance and controlling" */
  @ValidateIf((_, name) => name !== undefined)
  @MaxLength(100)
  @Matches(LINE, { message: `name ${LINE_TEXT}` })
  name?: string;

  /** @example "CC-4712" */
  @IsOptional()
  @MaxLength(64)
  @Matches(LINE, { message: `costCenter ${LINE_TEXT}` })
  costCenter?: string | null;

  /**
   * Replaces the list; null allows all.
   * @example ["claude-*"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_MODEL_PATTERNS)
  @ArrayUnique()
  @Matches(MODEL_PATTERN, { each: true, message: `allowedModels ${MODEL_PATTERN_TEXT}` })
  allowedModels?: string[] | null;

  /**
   * Whether requests and answers of its calls are kept, encrypted, where the gateway has a prompt log. The department can see this.
   * @example false
   */
  @ValidateIf((_, promptLog) => promptLog !== undefined)
  @IsBoolean()
  promptLog?: boolean;

  /** Each named setting is changed, null removes it. */
  @ApiProperty({ type: () => TenantSettingsDto, required: false, example: SETTINGS_EXAMPLE })
  @ValidateIf((_, settings) => settings !== undefined)
  @IsObject()
  settings?: Record<string, unknown>;
}

/** What a tenant may change of itself. Everything else is the gateway administrator's. */
export class ChangeOwnTenant {
  /** Each named setting is changed, null removes it. */
  settings?: TenantSettingsDto;
}

export class ListTenants extends PageQuery {
  /** Left out: active and suspended ones. */
  @IsOptional()
  @IsIn(TENANT_STATUSES)
  status?: TenantStatus;
}

export class TenantView {
  /** @example "finance" */
  id!: string;

  /** @example "Finance" */
  name!: string;

  /** @example "active" */
  @ApiProperty({ enum: TENANT_STATUSES })
  status!: TenantStatus;

  /** @example "CC-4711" */
  costCenter!: string | null;

  /**
   * null: all models.
   * @example ["claude-*", "gpt-5"]
   */
  allowedModels!: string[] | null;

  settings!: TenantSettingsDto;

  /**
   * Whether requests and answers of its calls are kept, encrypted, where the gateway has a prompt log. The department can see this.
   * @example false
   */
  promptLog!: boolean;

  /** @example "2026-11-22T09:30:00.000Z" */
  createdAt!: string;

  /** @example "2026-11-22T09:30:00.000Z" */
  updatedAt!: string;

  /** When it was deleted; its bills and audit records remain. */
  deletedAt!: string | null;
}

/** A tenant as it sees itself. */
export class OwnTenantView extends TenantView {
  /**
   * Whether prompts and answers stand in the traces that the gateway sends to a collector, of all tenants.
   * @example false
   */
  promptsInTraces!: boolean;
}

export class TenantPage {
  items!: TenantView[];

  /** Give it back as `cursor` for the next page; null on the last. */
  nextCursor!: string | null;
}
