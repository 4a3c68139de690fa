import { IsIn, Matches } from 'class-validator';
import { METRICS, PERIODS, type Metric, type Period } from './windows';

export class SetBudget {
  /** What is limited. */
  @IsIn(METRICS)
  metric!: Metric;

  /** For how long: a calendar day or month in the gateway's time zone. */
  @IsIn(PERIODS)
  period!: Period;

  /**
   * The most that may be spent in a period, in the rate card's currency, as a decimal with at most 9 decimals. What was
   * used so far counts; a limit below it refuses everything until the period ends.
   * @example "100.00"
   */
  @Matches(/^\d{1,10}(\.\d{1,9})?$/, { message: 'limit must be a decimal amount in quotes, such as "100.00"' })
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

/** What a tenant used in the period under way, and how much it may. Amounts are decimals in the rate card's currency. */
export class BudgetView {
  /** What is counted. */
  metric!: Metric;

  /** A calendar day or month in the gateway's time zone. */
  period!: Period;

  /**
   * The most that may be spent in the period; `null` without a budget.
   * @example "100.00"
   */
  limit!: string | null;

  /**
   * Cost of all requests that have ended.
   * @example "12.345678"
   */
  spent!: string;

  /**
   * Set aside for requests under way at the most they can cost, and for a few seconds after, headroom that gateway
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
   * When the next begins, with nothing spent.
   * @example "2026-12-01T00:00:00.000Z"
   */
  resetsAt!: string;
}

export class BudgetList {
  /** Every period, with a budget or without. */
  items!: BudgetView[];
}
