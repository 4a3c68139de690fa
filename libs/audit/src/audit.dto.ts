import { PageQuery } from '@app/platform';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsOptional, IsString, Matches, MaxLength, Min } from 'class-validator';
import { AUDIT_ACTIONS, AUDIT_OUTCOMES, type AuditAction, type AuditOutcome } from './actions';

/** A day, or an instant with its offset: without one it would mean another time on another machine. */
const INSTANT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$/;
const INSTANT_HINT = { message: '$property must be a day (2026-11-01) or an instant (2026-11-01T10:00:00Z)' };

/** Which records to list. */
export class AuditQuery extends PageQuery {
  /**
   * Only records about this tenant.
   * @example "finance"
   */
  @IsOptional()
  @IsString()
  @MaxLength(32)
  tenant?: string;

  /** Only this action. */
  @IsOptional()
  @IsIn(AUDIT_ACTIONS)
  @ApiPropertyOptional({ enum: AUDIT_ACTIONS, example: 'token.revoked' })
  action?: AuditAction;

  /**
   * Only what this admin key, token or job did.
   * @example "root"
   */
  @IsOptional()
  @IsString()
  @MaxLength(300)
  actor?: string;

  /** Only records with this outcome. */
  @IsOptional()
  @IsIn(AUDIT_OUTCOMES)
  @ApiPropertyOptional({ enum: AUDIT_OUTCOMES, example: 'refused' })
  outcome?: AuditOutcome;

  /**
   * From this day or instant on.
   * @example "2026-11-01"
   */
  @IsOptional()
  @IsISO8601({ strict: true }, INSTANT_HINT)
  @Matches(INSTANT, INSTANT_HINT)
  since?: string;

  /**
   * Before this day or instant.
   * @example "2026-12-01"
   */
  @IsOptional()
  @IsISO8601({ strict: true }, INSTANT_HINT)
  @Matches(INSTANT, INSTANT_HINT)
  until?: string;

  /** Only records after this one: for following the log. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  afterSeq?: number;
}

/** Who did it. */
export class AuditActorView {
  /** `admin`, `tenant`, `job`, or `anonymous` when no valid key was shown. */
  @ApiProperty({ enum: ['admin', 'tenant', 'job', 'anonymous'], example: 'admin' })
  kind!: string;

  /** Name of the admin key, id of the token, or what the job was for. */
  @ApiProperty({ type: String, nullable: true, example: 'root' })
  id!: string | null;

  /**
   * Where the call came in.
   * @example "api"
   */
  via!: string;

  /** The caller's address. */
  @ApiProperty({ type: String, nullable: true, example: '10.20.0.7' })
  ip!: string | null;

  /** The person, where single sign-on told us. */
  subject?: string;
}

/** What it was done to. */
export class AuditTargetView {
  /** @example "tenant" */
  kind!: string;

  /** @example "finance" */
  id!: string;
}

/** One record of the audit log. */
export class AuditRecordView {
  /**
   * Counts up by one from the first record.
   * @example 42
   */
  seq!: number;

  /** @example "2026-11-22T10:00:00.000Z" */
  time!: string;

  actor!: AuditActorView;

  @ApiProperty({ enum: AUDIT_ACTIONS, example: 'tenant.created' })
  action!: AuditAction;

  /** Whose affairs it concerns; `null` for the gateway's own. */
  @ApiProperty({ type: String, nullable: true, example: 'finance' })
  tenant!: string | null;

  target!: AuditTargetView;

  @ApiProperty({ enum: AUDIT_OUTCOMES, example: 'done' })
  outcome!: AuditOutcome;

  /** The request that did it, as in its `x-request-id`. */
  @ApiProperty({ type: String, nullable: true, example: 'req_0199f3a0c0de7000800000000000cafe' })
  requestId!: string | null;

  /** The target before, without secrets; `null` if it did not exist. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: null })
  before!: unknown;

  /** The target after, without secrets; `null` if it is gone. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { id: 'finance' } })
  after!: unknown;

  /** Why, in the words of whoever did it. */
  reason?: string;

  /** Hash of the record before. */
  prevHash!: string;

  /** SHA-256 over the record as it is exported, without this member. */
  hash!: string;
}

/** One page of the audit log. */
export class AuditPageView {
  @ApiProperty({ type: [AuditRecordView] })
  items!: readonly AuditRecordView[];

  /** Give it back as `cursor` for the next page; `null` on the last. */
  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

/** The first thing wrong with the chain. */
export class AuditFaultView {
  /** What happened to the records. */
  @ApiProperty({ enum: ['unreadable', 'edited', 'dropped', 'reordered', 'cut', 'rewritten', 'forged'] })
  kind!: string;

  /** The record it concerns. */
  @ApiProperty({ type: Number, nullable: true, example: 17 })
  seq!: number | null;

  /** @example "Record 17 was edited: its hash does not match its text." */
  message!: string;
}

/** Whether the audit log is as it was written. */
export class AuditVerificationView {
  ok!: boolean;

  /**
   * Good records, counted up to the first fault.
   * @example 41
   */
  records!: number;

  /** @example 41 */
  lastSeq!: number;

  lastHash!: string;

  /** Signed checkpoints that were compared. */
  checkpoints!: number;

  @ApiProperty({ type: AuditFaultView, nullable: true })
  fault!: AuditFaultView | null;
}
