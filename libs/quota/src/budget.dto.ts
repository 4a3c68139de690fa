import { IsIn, Matches } from 'class-validator';
import { METRICS, PERIODS, type Metric, type Period } from './windows';

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
  @Matches(/^(\d{1,10}(\.\d{1,9})?|\d{1,18})$/, {
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
   * The most that may be used in the period; `null` without a budget.
   * @example "100.00"
   */
  limit!: string | null;

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
