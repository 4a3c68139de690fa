import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { PageQuery } from '@app/platform';
import type { DeliveryState } from './deliveries.queries';

const STATES = ['pending', 'delivered', 'dead'] as const satisfies readonly DeliveryState[];

/** An endpoint of the gateway's configuration; its secrets are never shown. */
export class WebhookView {
  /** @example "finance-alerts" */
  name!: string;

  /**
   * Where notices go, without the query.
   * @example "https://hooks.example.com/openclawmu"
   */
  url!: string;

  /**
   * The events it wants; `*` at the end stands for anything.
   * @example ["budget.*"]
   */
  events!: string[];

  /** Whose notices it wants; `null` for everybody's and the gateway's own. */
  @ApiProperty({ type: [String], nullable: true, example: ['finance'] })
  tenants!: string[] | null;

  /** Whether it may lie in a private network. */
  internal!: boolean;

  /**
   * With how many secrets notices are signed; more than one while a secret is being replaced.
   * @example 1
   */
  secrets!: number;
}

export class WebhookList {
  /** In the order of the configuration. */
  items!: WebhookView[];
}

/** Which deliveries to list. */
export class DeliveryQuery extends PageQuery {
  /** `pending`: on its way; `delivered`; `dead`: given up. */
  @IsOptional()
  @IsIn(STATES)
  state?: DeliveryState;

  /**
   * Only to this endpoint.
   * @example "finance-alerts"
   */
  @IsOptional()
  @IsString()
  @MaxLength(32)
  endpoint?: string;

  /**
   * Only notices about this tenant.
   * @example "finance"
   */
  @IsOptional()
  @IsString()
  @MaxLength(32)
  tenant?: string;
}

/** A notice on its way to one endpoint. */
export class DeliveryView {
  /**
   * The `webhook-id` of every attempt.
   * @example "msg_01a2030384157bbf8c7b5ae536b0a20a"
   */
  id!: string;

  /** @example "finance-alerts" */
  endpoint!: string;

  /** @example "budget.threshold" */
  event!: string;

  /** Whom it concerns; `null` for the gateway's own affairs. */
  @ApiProperty({ type: String, nullable: true, example: 'finance' })
  tenant!: string | null;

  /** `pending`: on its way; `delivered`; `dead`: given up. */
  @ApiProperty({ enum: STATES, example: 'dead' })
  state!: DeliveryState;

  /**
   * Attempts begun, since it was last sent by hand.
   * @example 11
   */
  attempts!: number;

  /** @example "2026-11-22T11:28:02.406Z" */
  createdAt!: string;

  /** When the next attempt may begin, or for one under way, when it is taken for lost; `null` when there will be none. */
  @ApiProperty({ type: String, nullable: true, example: '2026-11-22T11:33:02.406Z' })
  dueAt!: string | null;

  /** When it was delivered or given up. */
  @ApiProperty({ type: String, nullable: true, example: null })
  endedAt!: string | null;

  /** What the receiver last answered. */
  @ApiProperty({ type: Number, nullable: true, example: 503 })
  lastStatus!: number | null;

  /** Why the last attempt failed. */
  @ApiProperty({ type: String, nullable: true, example: 'answered 503' })
  lastError!: string | null;
}

export class DeliveryDetails extends DeliveryView {
  /** What is sent, as it is signed. */
  @ApiProperty({
    example: '{"type":"budget.threshold","timestamp":"2026-11-22T11:28:02.406Z","data":{"tenant":"finance"}}',
  })
  body!: string;
}

export class DeliveryPage {
  items!: DeliveryView[];

  /** Give it back as `cursor` for the next page; `null` on the last. */
  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}
