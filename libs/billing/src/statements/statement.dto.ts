import { IsOptional, Matches } from 'class-validator';
import { PageQuery } from '@app/platform';
import { IsMonth } from '../instant.decorator';
import { UsageSums } from '../reports/usage.dto';

const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;

export class CloseStatementDto {
  /**
   * A calendar month of the gateway's time zone that is over.
   * @example "2026-10"
   */
  @IsMonth()
  period!: string;

  /**
   * Only this tenant; left out: the whole gateway.
   * @example "finance"
   */
  @IsOptional()
  @Matches(TENANT_ID, { message: 'must be a tenant id' })
  tenant?: string;
}

export class StatementsQuery extends PageQuery {
  /** Only this tenant's. */
  @IsOptional()
  @Matches(TENANT_ID, { message: 'must be a tenant id' })
  tenant?: string;
}

export class StatementCard {
  /** Version of the rate card. */
  version!: number;

  /** SHA-256 (hex) of its canonical text. */
  sha256!: string;
}

/** A closed period's bill: what it covers and what it amounts to. The files follow from the ledger and are not stored. */
export class StatementView {
  /**
   * Name and number of the columns.
   * @example "statement/2"
   */
  schema!: string;

  /** @example "2026-10-finance" */
  id!: string;

  /** @example "2026-10" */
  period!: string;

  /** `null` for the whole gateway. */
  tenant!: string | null;

  /** The time zone whose month it is. */
  timeZone!: string;

  from!: string;

  to!: string;

  /** What was booked later stands in the next statement. */
  asOf!: string;

  /** Calls before `from` that were booked after this instant are its late lines; `null` in a first statement. */
  lateAfter!: string | null;

  currency!: string | null;

  /** Lines of the bill without the header. */
  rows!: number;

  /** How many of them belong to earlier months. */
  lateRows!: number;

  /** Of the bill. */
  bytes!: number;

  /** SHA-256 (hex) of the bill, header included. */
  sha256!: string;

  /** SHA-256 (hex) of the file of digests, header included. */
  digestsSha256!: string;

  /** The rate cards its lines are priced by. */
  rateCards!: StatementCard[];

  totals!: UsageSums;

  closedAt!: string;

  /** Name of the admin key that closed it. */
  closedBy!: string;
}

export class StatementPage {
  items!: StatementView[];

  /** Give it back as `cursor` for the next page; `null` on the last. */
  nextCursor!: string | null;
}

/** A rate card whole, as its hash covers it. */
export class StatementCardText extends StatementCard {
  /** The canonical text (JSON); its SHA-256 is `sha256`. */
  document!: string;
}
