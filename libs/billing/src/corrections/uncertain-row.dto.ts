import { Transform } from 'class-transformer';
import { IsIn, IsOptional, Matches } from 'class-validator';
import { AdminRequestsQuery, UsageRecord } from '../reports/usage.dto';
import { BilledView } from './correction.dto';

/** Statuses of rows whose usage nobody can be sure of. */
export const UNCERTAIN = ['unconfirmed', 'quarantined', 'estimated'] as const;

export class UncertainRowsQuery extends AdminRequestsQuery {
  /** Only rows of this status. */
  @IsOptional()
  @IsIn(UNCERTAIN)
  override status?: 'unconfirmed' | 'quarantined' | 'estimated';

  /**
   * Only rows with this reason.
   * @example "no_answer"
   */
  @IsOptional()
  @Matches(/^[a-z_]{1,40}$/, { message: 'must be a reason code such as no_answer' })
  reason?: string;

  /** Whether to list rows that somebody has corrected too. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsIn([true, false], { message: 'must be true or false' })
  corrected: boolean = false;
}

/** A row of the ledger as it was booked, and what became of it. */
export class LedgerRowView extends UsageRecord {
  /** How many times it was corrected. */
  corrections!: number;

  /** How the call is billed by now, all corrections added up. */
  billed!: BilledView;
}

export class LedgerRowPage {
  items!: LedgerRowView[];

  /** Give it back as `cursor` for the next page; `null` on the last. */
  nextCursor!: string | null;
}

/** Rows that are not sure and that nobody has corrected. */
export class UncertainCounts {
  /** @example 2 */
  unconfirmed!: number;

  quarantined!: number;

  estimated!: number;
}
