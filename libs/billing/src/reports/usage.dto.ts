import { IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { PageQuery } from '@app/platform';
import { LEDGER_STATUSES } from '../ledger/ledger-row';
import { IsInstant, IsMonth, IsPlainText } from '../instant.decorator';

const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** A calendar month, or two instants; the current month if nothing is given. */
export class PeriodQuery {
  /**
   * A calendar month in the gateway's time zone.
   * @example "2026-11"
   */
  @IsOptional()
  @IsMonth()
  period?: string;

  /**
   * First instant of the period.
   * @example "2026-11-01T00:00:00Z"
   */
  @IsOptional()
  @IsInstant()
  from?: string;

  /**
   * The instant the period ends before; now if left out.
   * @example "2026-12-01T00:00:00Z"
   */
  @IsOptional()
  @IsInstant()
  to?: string;
}

export class TenantUsageQuery extends PeriodQuery {
  /** What to sum by. */
  @IsOptional()
  @IsIn(['model', 'token', 'day', 'subject', 'endUser', 'costCenter', 'api'])
  by: 'model' | 'token' | 'day' | 'subject' | 'endUser' | 'costCenter' | 'api' = 'model';
}

export class AdminUsageQuery extends PeriodQuery {
  /** What to sum by. */
  @IsOptional()
  @IsIn(['tenant', 'model', 'token', 'day', 'subject', 'endUser', 'costCenter', 'api'])
  by: 'tenant' | 'model' | 'token' | 'day' | 'subject' | 'endUser' | 'costCenter' | 'api' = 'tenant';

  /** Only this tenant. */
  @IsOptional()
  @Matches(TENANT_ID, { message: 'must be a tenant id' })
  tenant?: string;
}

export class TenantRequestsQuery extends PageQuery {
  /**
   * A calendar month in the gateway's time zone.
   * @example "2026-11"
   */
  @IsOptional()
  @IsMonth()
  period?: string;

  /** First instant of the period. */
  @IsOptional()
  @IsInstant()
  from?: string;

  /** The instant the period ends before; now if left out. */
  @IsOptional()
  @IsInstant()
  to?: string;

  /** Only this model. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  @IsPlainText()
  model?: string;

  /** Only calls with this token. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @IsPlainText()
  token?: string;

  /** Only rows of this status. */
  @IsOptional()
  @IsIn(LEDGER_STATUSES)
  status?: 'actual' | 'estimated' | 'unconfirmed' | 'quarantined' | 'correction';
}

export class AdminRequestsQuery extends TenantRequestsQuery {
  /** Only this tenant. */
  @IsOptional()
  @Matches(TENANT_ID, { message: 'must be a tenant id' })
  tenant?: string;
}

/** Tokens in disjoint classes: each is counted once. */
export class TokenCountsView {
  /** Of the prompt, no cache involved. */
  input!: number;

  /** Of the prompt, spoken. */
  audioInput!: number;

  /** Of the prompt, read from the provider's cache. */
  cacheRead!: number;

  /** Of the prompt, written to a cache for five minutes. */
  cacheWrite5m!: number;

  /** Of the prompt, written to a cache for an hour. */
  cacheWrite1h!: number;

  /** Of the answer, without reasoning. */
  output!: number;

  /** Of the answer, spoken. */
  audioOutput!: number;

  /** Reasoning. */
  reasoning!: number;
}

export class UsageSums {
  /** @example 128 */
  requests!: number;

  tokens!: TokenCountsView;

  /** Searches of the web that providers ran. */
  webSearches!: number;

  /**
   * What it would cost without the tenants' markups and discounts.
   * @example "10.00"
   */
  listCost!: string;

  /**
   * Exact decimal in the report's currency.
   * @example "12.50"
   */
  cost!: string;
}

export class UsageTotals extends UsageSums {
  /**
   * How many of the requests were answered from the response cache.
   * @example 12
   */
  cachedRequests!: number;

  /**
   * What those would have cost; it is no part of the cost.
   * @example "0.75"
   */
  saved!: string;
}

export class UsageItem extends UsageTotals {
  /** Tenant, model, token id, date, subject, cost centre or API; `null` where there is none. */
  key!: string | null;

  /** A tenant's name or a token's label. */
  label!: string | null;
}

export class UsageReport {
  from!: string;

  to!: string;

  by!: string;

  /**
   * `null` before the first rate card.
   * @example "USD"
   */
  currency!: string | null;

  /** Dearest first, days in order; at most 1,000. */
  items!: UsageItem[];

  /** How many items are not shown; the totals cover them. */
  moreItems!: number;

  totals!: UsageTotals;
}

export class UsageRecord {
  /** @example "req_0199f3a0c0de7000800000000000cafe" */
  requestId!: string;

  /** When the call was accepted. */
  at!: string;

  tenant!: string;

  /** The tenant's cost centre when the call was booked. */
  costCenter!: string | null;

  tokenId!: string;

  tokenLabel!: string | null;

  /** The person behind the call, where known. */
  subject!: string | null;

  /** Whom the caller said it acts for; nobody has checked it. */
  endUser!: string | null;

  /**
   * Which model API was called: `chat`, `responses`, `messages` or `embeddings`; `null` where the row does not say.
   * @example "chat"
   */
  api!: string | null;

  /** As asked for. */
  model!: string;

  provider!: string;

  /** What the provider calls the request; quote it to them. */
  providerRequestId!: string | null;

  tokens!: TokenCountsView;

  /** Searches of the web that the provider ran. */
  webSearches!: number;

  /** The provider's service tier; `null` is the standard one. */
  serviceTier!: string | null;

  /** Version of the rate card the call is billed by. */
  rateCard!: number;

  /** Number of the rule by which the cost follows from tokens and prices. */
  formula!: number;

  /**
   * What it would cost without the tenant's markup or discount.
   * @example "0.001275"
   */
  listCost!: string;

  /** @example "0.001275" */
  cost!: string;

  /**
   * What the same answer had cost, where it was answered from the response cache; such a call uses and costs nothing.
   * @example null
   */
  saved!: string | null;

  /** @example "USD" */
  currency!: string | null;

  /**
   * How sure the counts are: told by the provider, counted by the gateway, or the worst case because nothing was learnt
   * or what was told cannot be true.
   */
  status!: 'actual' | 'estimated' | 'unconfirmed' | 'quarantined' | 'correction';

  outcome!: 'completed' | 'aborted' | 'failed' | 'unknown';

  /** The request a correction corrects. */
  corrects!: string | null;

  /**
   * Why the counts are not sure, as a code; `cached` where the response cache answered; of a correction, why it was made.
   * @example "no_answer"
   */
  reason!: string | null;
}

export class UsageRecordPage {
  items!: UsageRecord[];

  /** Give it back as `cursor` for the next page; `null` on the last. */
  nextCursor!: string | null;
}
