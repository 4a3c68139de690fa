import { OmitType } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsIn, IsInt, IsOptional, Matches, Max, MaxLength, Min } from 'class-validator';
import { PageQuery } from '@app/platform';
import { MOST_THRESHOLDS } from './notices/thresholds';
import type { Scope } from './scopes/scope';
import { METRICS, PERIODS, type Metric, type Period } from './windows';

/** An amount of money, or a whole number of tokens; which of them it must be, the metric says. */
const AMOUNT = /^(\d{1,10}(\.\d{1,9})?|\d{1,18})$/;
const SIGNED_AMOUNT = /^-?(\d{1,10}(\.\d{1,9})?|\d{1,18})$/;

/** One line of text: no control characters, no halves of characters, not blank at either end. */
export const ONE_LINE = /^(?!\s)[^\p{Cc}\p{Cs}\u2028\u2029]+(?<!\s)$/u;

/** What a budget of a tenant can be a budget of. */
const TENANT_SCOPES = ['tenant', 'model', 'token', 'user'] as const;
type TenantScope = (typeof TENANT_SCOPES)[number];

/** Longer names than any token, model or person has. */
const MAX_TARGET = 200;
const TARGET = { message: 'target must be one line of text without blanks at its ends' };

export class BudgetKey {
  /** What is limited: `cost`, or `tokens` of all classes together (input, cache reads and writes, output, reasoning). */
  @IsIn(METRICS)
  metric!: Metric;

  /** For how long: a calendar day or month in the gateway's time zone. */
  @IsIn(PERIODS)
  period!: Period;

  /** Whose use is limited: all of the tenant's (`tenant`, if left out), that of some models, of a token, of an end user. */
  @IsOptional()
  @IsIn(TENANT_SCOPES)
  scope?: TenantScope;

  /**
   * Which of them. Of `model`: a model's name, or the beginning of names and `*`. Of `token`: a token's id, or `*` for every
   * token, each by itself; a token and all that came of it by rotation count as one, whichever is named. Of `user`: an end
   * user's name, or `*` for every end user, each by itself. Not for `tenant`.
   * @example "claude-*"
   */
  @IsOptional()
  @MaxLength(MAX_TARGET)
  @Matches(ONE_LINE, TARGET)
  target?: string;
}

export class SetBudget extends BudgetKey {
  /**
   * The most that may be used in a period: of cost in the rate card's currency, as a decimal with at most 9 decimals; of
   * tokens a whole number. What was used so far counts; a limit below it refuses everything until the period ends.
   * @example "100.00"
   */
  @Matches(AMOUNT, {
    message: 'limit must be a decimal amount in quotes, such as "100.00"',
  })
  limit!: string;

  /**
   * At which percents of the limit receivers of webhooks are told, each once in a period; 1 to 100, rising, at most 10. Left
   * out, they stay as they are, and are 50, 80 and 100 for a new budget; an empty list tells of none.
   * @example [50, 80, 100]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_THRESHOLDS)
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(100, { each: true })
  thresholds?: number[];
}

export const BUDGET_EXAMPLES: Readonly<Record<string, SetBudget>> = {
  'of the whole tenant, a month': { metric: 'cost', period: 'month', limit: '100.00', thresholds: [50, 80, 100] },
  'of some models, a day': { metric: 'cost', period: 'day', scope: 'model', target: 'claude-*', limit: '20.00' },
  'of each end user, in tokens': { metric: 'tokens', period: 'month', scope: 'user', target: '*', limit: '500000' },
};

export class TopUpBudget extends BudgetKey {
  /**
   * What is added to the limit of the period under way: money as a decimal with at most 9 decimals, tokens a whole number. With a minus,
   * what is taken back of former top-ups.
   * @example "20.00"
   */
  @Matches(SIGNED_AMOUNT, { message: 'amount must be a decimal amount in quotes, such as "20.00" or "-20.00"' })
  amount!: string;

  /**
   * Why; stands in the audit log.
   * @example "Quarter end, agreed with J. Doe"
   */
  @MaxLength(200)
  @Matches(ONE_LINE, { message: 'reason must be one line of text without blanks at its ends' })
  reason!: string;
}

export const TOP_UP_EXAMPLES: Readonly<Record<string, TopUpBudget>> = {
  'of the whole tenant': {
    metric: 'cost',
    period: 'month',
    amount: '20.00',
    reason: 'Quarter end, agreed with J. Doe',
  },
  'some of it taken back': {
    metric: 'cost',
    period: 'month',
    amount: '-5.00',
    reason: 'Not needed after all',
  },
};

/** Of all tenants together. */
export class OrganisationBudgetKey extends OmitType(BudgetKey, ['scope', 'target']) {}
export class SetOrganisationBudget extends OmitType(SetBudget, ['scope', 'target']) {}
export class TopUpOrganisationBudget extends OmitType(TopUpBudget, ['scope', 'target']) {}

export class BudgetQuery extends PageQuery {
  /** Only budgets of this kind. */
  @IsOptional()
  @IsIn(TENANT_SCOPES)
  scope?: TenantScope;

  /**
   * Only this one of them, and how it stands: also a token or an end user that has no budget of its own, but one that each has.
   * @example "alice@example.com"
   */
  @IsOptional()
  @MaxLength(MAX_TARGET)
  @Matches(ONE_LINE, TARGET)
  target?: string;
}

/** What was used in the period under way, and how much may be. Cost is a decimal in `currency`, tokens are a whole number. */
export class BudgetView {
  /** What is counted. */
  metric!: Metric;

  /**
   * Of all amounts of cost: the rate card's. `null` for tokens, and as long as there is no rate card.
   * @example "USD"
   */
  currency!: string | null;

  /** A calendar day or month in the gateway's time zone. */
  period!: Period;

  /** Whose use is counted. */
  scope!: Scope;

  /**
   * Which model or pattern, token, or end user; `*` for every token or end user, each by itself. `null` for a whole tenant and the organisation.
   * Of tokens that came of one another by rotation it is the first, from which on all of them count.
   * @example "claude-*"
   */
  target!: string | null;

  /**
   * The most that may be used in each such period; `null` without a budget.
   * @example "100.00"
   */
  limit!: string | null;

  /**
   * What is added to the limit in the period under way, and in no other.
   * @example "20.00"
   */
  topUp!: string;

  /**
   * At which percents of the limit receivers of webhooks are told.
   * @example [50, 80, 100]
   */
  thresholds!: number[];

  /**
   * Used by all requests that have ended. Where each has the limit for itself: by all of them together.
   * @example "12.345678"
   */
  spent!: string;

  /**
   * The part of `spent` that no request accounts for: an administrator decided that what a lost machine had set aside counts
   * as spent. It is on no bill, and shrinks when the machine's calls come to light.
   * @example "0.00"
   */
  writtenOff!: string;

  /**
   * Set aside for requests under way at the most they can use, and for up to a minute after, headroom that gateway
   * processes keep at hand.
   * @example "0.25"
   */
  held!: string;

  /**
   * When the period began.
   * @example "2026-11-01T00:00:00.000Z"
   */
  startsAt!: string;

  /**
   * When the next begins, with nothing used.
   * @example "2026-12-01T00:00:00.000Z"
   */
  resetsAt!: string;

  /** Where each has the limit for itself: how many have used something of it in this period. Else `null`. */
  targets!: number | null;

  /** How many of those have used all of it. */
  targetsUsedUp!: number | null;
}

export class BudgetList {
  /**
   * First those of the whole tenant, every metric and period, with a budget or without. Then the others there are, by scope,
   * target, metric and period. Of the organisation, those there are.
   */
  items!: BudgetView[];

  /** Give it back as `cursor` for the next page; `null` on the last. */
  nextCursor!: string | null;
}
