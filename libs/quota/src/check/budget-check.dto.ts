import { Matches, MaxLength } from 'class-validator';
import { ONE_LINE } from '../budget.dto';
import type { Scope } from '../scopes/scope';
import type { Metric, Period } from '../windows';

/** A budget's period under way in which something else is counted as spent than the ledger has. Cost is a decimal in `currency`, tokens are a whole number. */
export class BudgetDifference {
  /**
   * `null` for a budget of the organisation.
   * @example "legal"
   */
  tenantId!: string | null;

  /** Whose use is counted. */
  scope!: Scope;

  /** Which model or pattern, token, or end user; `null` for a whole tenant and the organisation. */
  target!: string | null;

  /** What is counted. */
  metric!: Metric;

  /**
   * Of all amounts of cost: the rate card's. `null` for tokens, and as long as there is no rate card.
   * @example "USD"
   */
  currency!: string | null;

  /** A calendar day or month in the gateway's time zone. */
  period!: Period;

  /**
   * When the period began.
   * @example "2026-11-01T00:00:00.000Z"
   */
  startsAt!: string;

  /**
   * As counted in the budget.
   * @example "95.00"
   */
  spent!: string;

  /**
   * The part of it that no request accounts for, as somebody has decided.
   * @example "0.00"
   */
  writtenOff!: string;

  /**
   * What the rows of the ledger add up to.
   * @example "100.00"
   */
  ledger!: string;

  /**
   * How much too much is counted; negative where it is too little, so that more could be spent than the limit allows.
   * @example "-5.00"
   */
  difference!: string;
}

/** How the budgets compare with the ledger. */
export class BudgetCheckResult {
  /** Whether all agree. */
  ok!: boolean;

  /** How many were compared: one for each budget's day or month under way, and each tenant's own four. */
  windows!: number;

  /** How many of them differ. */
  differences!: number;

  /** Those that differ, the first thousand at most. */
  items!: BudgetDifference[];
}

export class RepairBudgets {
  /**
   * Why; stands in the audit log.
   * @example "Counts lost on 26 November, ticket 4711"
   */
  @MaxLength(200)
  @Matches(ONE_LINE, { message: 'reason must be one line of text without blanks at its ends' })
  reason!: string;
}

/** What was put right. */
export class BudgetRepairResult {
  /** How many were compared. */
  windows!: number;

  /** How many of them differed and agree now. */
  repaired!: number;

  /** Those as they were found, the first thousand at most. */
  items!: BudgetDifference[];
}
