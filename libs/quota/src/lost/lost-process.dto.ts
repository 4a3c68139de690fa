import { IsIn, Matches, MaxLength } from 'class-validator';
import { ONE_LINE } from '../budget.dto';
import type { Scope } from '../scopes/scope';
import type { Metric, Period } from '../windows';

export const RESOLUTIONS = ['spent', 'released'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** Headroom of one budget window that a lost process had leased. */
export class LostLeaseView {
  /**
   * `null` for a budget of the organisation.
   * @example "legal"
   */
  tenantId!: string | null;

  /** What the budget counts. */
  metric!: Metric;

  /** A calendar day or month in the gateway's time zone. */
  period!: Period;

  /** Whose use is counted. */
  scope!: Scope;

  /** Which model or pattern, token, or end user; `null` for a whole tenant and the organisation. */
  target!: string | null;

  /** @example "2026-11-01T00:00:00.000Z" */
  startsAt!: string;

  /** @example "2026-12-01T00:00:00.000Z" */
  endsAt!: string;

  /**
   * Cost as a decimal in the rate card's currency, or a whole number of tokens.
   * @example "1.25"
   */
  amount!: string;
}

/** A gateway process that is gone, and what it had leased: counted as held until somebody decides. */
export class LostProcessView {
  /** @example "01a203b1-9c1e-7a44-8f5b-2a9d1c0e7f11" */
  id!: string;

  /**
   * The machine it ran on, by its own name.
   * @example "gateway-2.example.internal"
   */
  host!: string;

  /** @example "2026-11-24T07:00:00.000Z" */
  startedAt!: string;

  /** Its journal: nowhere on the machine that answers, or there and damaged. */
  journal!: 'missing' | 'damaged';

  /** Empty where it worked only for tenants that nothing limits, or was idle. */
  leased!: LostLeaseView[];
}

export class LostProcessList {
  /** In the order in which they started. */
  items!: LostProcessView[];
}

export class ResolveLostProcess {
  /**
   * `spent`: what it had leased counts as used for good; `released`: it goes back and can be used again. Choose `released` only
   * when it is certain that none of it was used.
   */
  @IsIn(RESOLUTIONS)
  how!: Resolution;

  /**
   * Why; stands in the audit log.
   * @example "Disk of gateway-2 is destroyed, ticket 4711"
   */
  @MaxLength(200)
  @Matches(ONE_LINE, { message: 'reason must be one line of text without blanks at its ends' })
  reason!: string;
}

/** What was decided. */
export class ResolvedProcess {
  id!: string;

  how!: Resolution;

  /** What was leased, and is now spent or given back. */
  leased!: LostLeaseView[];
}
