import { IsIn, Matches, MaxLength } from 'class-validator';
import { METRICS, PERIODS, type Metric, type Period } from './windows';

/** An amount of money, or a whole number of tokens; which of them it must be, the metric says. */
const AMOUNT = /^(\d{1,10}(\.\d{1,9})?|\d{1,18})$/;

/** One line of text: no control characters, no halves of characters, not blank at either end. */
export const ONE_LINE = /^(?!\s)[^\p{Cc}\p{Cs}\u2028\u2029]+(?<!\s)$/u;

export class SetBudget {
  /** What is limited: `cost`, or `tokens` of all classes together (input, cache reads and writes, output, reasoning). */
  @IsIn(METRICS)
  metric!: Metric;

  /** For how long: a calendar day or month in the gateway's time zone. */
  @IsIn(PERIODS)
  period!: Period;

  /**
   * The most that may be used in a period: of cost in the rate card's currency, as a decimal with at most 9 decimals; of
   * tokens a whole number. What was used so far counts; a limit below it refuses everything until the period ends.
   * @example "100.00"
   */
  @Matches(AMOUNT, {
    message: 'limit must be a decimal amount in quotes, such as "100.00"',
  })
  limit!: string;
}

export class BudgetKey {
  /** What is limited. */
  @IsIn(METRICS)
  metric!: Metric;

  /** Of which period. */
  @IsIn(PERIODS)
  period!: Period;
}

export class TopUpBudget extends BudgetKey {
  /**
   * What is added to the limit of the period under way: money as a decimal with at most 9 decimals, tokens a whole number.
   * @example "20.00"
   */
  @Matches(AMOUNT, { message: 'amount must be a decimal amount in quotes, such as "20.00"' })
  amount!: string;

  /**
   * Why; stands in the audit log.
   * @example "Quarter end, agreed with J. Doe"
   */
  @MaxLength(200)
  @Matches(ONE_LINE, { message: 'reason must be one line of text without blanks at its ends' })
  reason!: string;
}

/**
 * What a tenant used in the period under way, and how much it may. Cost is a decimal in the rate card's currency, tokens are a
 * whole number.
 */
export class BudgetView {
  /** What is counted. */
  metric!: Metric;

  /** A calendar day or month in the gateway's time zone. */
  period!: Period;

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
   * Used by all requests that have ended.
   * @example "12.345678"
   */
  spent!: string;

  /**
   * Set aside for requests under way at the most they can use, and for a few seconds after, headroom that gateway
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
}

export class BudgetList {
  /** Every metric and period, with a budget or without. */
  items!: BudgetView[];
}
