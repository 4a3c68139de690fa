import { PageQuery, TENANT_ROLES, type TenantRole } from '@app/platform';
import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { INSTANT, LINE, LINE_TEXT, MAX_MODEL_PATTERNS, MODEL_PATTERN, MODEL_PATTERN_TEXT } from '../words';

export const TOKEN_STATUSES = ['active', 'expired', 'revoked'] as const;
export type TokenStatus = (typeof TOKEN_STATUSES)[number];

const WEEK_S = 604_800;
const INSTANT_TEXT = 'must be an instant with its time zone, such as 2027-01-31T00:00:00Z';

export class CreateToken {
  /**
   * What the token is for; it appears on bills.
   * @example "nightly reports"
   */
  @MaxLength(64)
  @Matches(LINE, { message: `label ${LINE_TEXT}` })
  label!: string;

  /** An owner may also manage the tenant's tokens and settings. Left out: member. */
  @ApiProperty({ enum: TENANT_ROLES, default: 'member', required: false })
  @IsOptional()
  @IsIn(TENANT_ROLES)
  role?: TenantRole;

  /**
   * When it stops working. Left out or null: never.
   * @example "2037-01-31T00:00:00Z"
   */
  @IsOptional()
  @Matches(INSTANT, { message: `expiresAt ${INSTANT_TEXT}` })
  @IsISO8601({ strict: true }, { message: `expiresAt ${INSTANT_TEXT}` })
  expiresAt?: string | null;

  /**
   * Models it may use, of those its tenant may use: names, or beginnings of names that end in "*". Null or left out: all of
   * them, or what the creating token may use.
   * @example ["claude-*"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_MODEL_PATTERNS)
  @ArrayUnique()
  @Matches(MODEL_PATTERN, { each: true, message: `allowedModels ${MODEL_PATTERN_TEXT}` })
  allowedModels?: string[] | null;
}

export class RotateToken {
  /**
   * How long the old token goes on working, in seconds, at most a week. Left out or 0: it stops at once.
   * @example 3600
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(WEEK_S)
  gracePeriodSeconds?: number;

  /**
   * When the new token stops working. Left out: as the old one; null: never.
   * @example "2037-01-31T00:00:00Z"
   */
  @IsOptional()
  @Matches(INSTANT, { message: `expiresAt ${INSTANT_TEXT}` })
  @IsISO8601({ strict: true }, { message: `expiresAt ${INSTANT_TEXT}` })
  expiresAt?: string | null;
}

export class RevokeToken {
  /**
   * The token itself, as it leaked, or its id.
   * @example "tok_0199f3a0c0de7000800000000000cafe"
   */
  @MaxLength(100)
  token!: string;
}

export class ListTokens extends PageQuery {
  /** Left out: all. */
  @ApiProperty({ enum: TOKEN_STATUSES, required: false })
  @IsOptional()
  @IsIn(TOKEN_STATUSES)
  status?: TokenStatus;
}

export class TokenView {
  /** @example "tok_0199f3a0c0de7000800000000000cafe" */
  id!: string;

  /** @example "finance" */
  tenantId!: string;

  /** @example "nightly reports" */
  label!: string;

  @ApiProperty({ enum: TENANT_ROLES })
  role!: TenantRole;

  /**
   * The token's last four characters, to recognise it by.
   * @example "9f3a"
   */
  hint!: string;

  @ApiProperty({ enum: TOKEN_STATUSES })
  status!: TokenStatus;

  /**
   * null: all its tenant may use.
   * @example ["claude-*"]
   */
  allowedModels!: string[] | null;

  /** @example "2037-01-31T00:00:00.000Z" */
  expiresAt!: string | null;

  /** @example "2026-11-22T09:30:00.000Z" */
  createdAt!: string;

  /**
   * The admin key (`admin:` and its name) or the token (`token:` and its id) that made it.
   * @example "admin:root"
   */
  createdBy!: string;

  /** The id of the token it replaced by rotation. */
  replaces!: string | null;

  /**
   * The id of the first token of its line of rotations; its own if it replaced none. A line has its budgets together, under this id.
   * @example "tok_0199f3a0c0de7000800000000000cafe"
   */
  lineage!: string;

  /** When it was revoked, or will be: a rotated token's grace ends then. */
  revokedAt!: string | null;
}

export class NewTokenView extends TokenView {
  /**
   * The token itself. It is shown this once and cannot be shown again.
   * @example "tk_finance_00000000000000000000000000000000"
   */
  token!: string;
}

export class RevocationView extends TokenView {
  /** False when it had been revoked before, and nothing changed. */
  changed!: boolean;
}

export class TokenPage {
  items!: TokenView[];

  /** Give it back as `cursor` for the next page; null on the last. */
  nextCursor!: string | null;
}
