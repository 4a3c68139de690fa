import { IsIn, IsOptional, Matches } from 'class-validator';
import { IsInstant } from '../instant.decorator';
import { PeriodQuery, UsageSums } from './usage.dto';

export class TenantReportQuery extends PeriodQuery {
  /**
   * A line for each request (`detail`), each day and model (`daily`), each token and model (`period`) or each cost centre
   * (`chargeback`), or the FOCUS billing columns, by day and model (`focus`).
   */
  @IsOptional()
  @IsIn(['detail', 'daily', 'period', 'chargeback', 'focus'])
  layout: 'detail' | 'daily' | 'period' | 'chargeback' | 'focus' = 'detail';

  /**
   * Leave out what was booked later, to get the bytes of an earlier report again: its `x-report-as-of`. Now if left out.
   * @example "2026-12-01T08:00:00.000Z"
   */
  @IsOptional()
  @IsInstant()
  asOf?: string;
}

export class AdminReportQuery extends TenantReportQuery {
  /** Only this tenant. */
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9_-]{0,31}$/, { message: 'must be a tenant id' })
  tenant?: string;
}

/** What the CSV of the same query amounts to. */
export class ReportManifest {
  /**
   * Name and number of the column layout.
   * @example "usage-detail/3"
   */
  schema!: string;

  /** @example "usage-detail_20261101T000000Z_20261201T000000Z.csv" */
  filename!: string;

  from!: string;

  to!: string;

  /** `null` for all tenants. */
  tenant!: string | null;

  /** Give it as `asOf` to get these very bytes again. */
  asOf!: string;

  currency!: string | null;

  /** Lines without the header. */
  rows!: number;

  bytes!: number;

  /** SHA-256 (hex) of the CSV, header included. */
  sha256!: string;

  totals!: UsageSums;
}
