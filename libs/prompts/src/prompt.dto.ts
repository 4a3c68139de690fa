import { PageQuery } from '@app/platform';
import { IsISO8601, IsOptional, Matches } from 'class-validator';

const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;

export class ListPrompts extends PageQuery {
  /** @example "finance" */
  @Matches(TENANT_ID, { message: 'tenant must be the id of a tenant' })
  tenant!: string;

  /**
   * Only calls that began then or later.
   * @example "2026-11-01T00:00:00Z"
   */
  @IsOptional()
  @IsISO8601({ strict: true })
  from?: string;

  /**
   * Only calls that began before.
   * @example "2026-12-01T00:00:00Z"
   */
  @IsOptional()
  @IsISO8601({ strict: true })
  to?: string;
}

export class PromptHeadView {
  /** @example "req_01a2147949547e2b87f45e67662adc31" */
  requestId!: string;

  /** @example "2026-11-22T09:30:00.000Z" */
  at!: string;

  /** @example "finance" */
  tenant!: string;

  /** @example "tok_01a21479309875e7b094359823af1ed6" */
  tokenId!: string;

  /**
   * As the caller named it.
   * @example "claude-opus-4-8"
   */
  model!: string;

  /**
   * The model API: chat, responses, embeddings or messages.
   * @example "messages"
   */
  api!: string;

  /**
   * HTTP status of the answer; 0 if there was none.
   * @example 200
   */
  status!: number;

  /** @example 48213 */
  requestBytes!: number;

  /** @example 2210 */
  answerBytes!: number;

  /**
   * Whether all of both is kept, or a part because they were too large.
   * @example true
   */
  whole!: boolean;

  /**
   * Of the key that opens it.
   * @example "2026-11"
   */
  keyId!: string;
}

export class PromptPage {
  items!: PromptHeadView[];

  /** Give it back as `cursor` for the next page; null on the last. */
  nextCursor!: string | null;
}

export class PromptView extends PromptHeadView {
  /** The body as it was routed, after what policies masked. */
  request!: string;

  /** The body as the client got it: JSON, or server-sent events. */
  answer!: string;
}
