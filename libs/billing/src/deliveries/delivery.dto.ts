import { IsIn, IsOptional, Matches } from 'class-validator';
import { PageQuery } from '@app/platform';
import { RUN_STATES } from './delivery-run';

export class BillDelivery {
  /** @example "warehouse" */
  name!: string;

  report!: 'detail' | 'daily' | 'period' | 'chargeback' | 'focus' | 'statement';

  /** Only this tenant; `null` for all. */
  tenant!: string | null;

  /** Whether each tenant has a file of its own. */
  each!: boolean;

  /**
   * Minute, hour, day, month and weekday in the gateway's time zone.
   * @example "0 6 * * *"
   */
  schedule!: string;

  /** @example "s3://finance-reports/llm" */
  place!: string;

  /** When it is due again. */
  nextAt!: string | null;

  /** When a run of it was last finished. */
  lastSuccessAt!: string | null;

  /** Runs that failed and that no later run of the same period has made good. Should read 0. */
  failing!: number;
}

export class BillDeliveryList {
  items!: BillDelivery[];
}

export class DeliveryRunView {
  /** @example "warehouse" */
  delivery!: string;

  /** When it was due, or asked for. */
  slot!: string;

  /**
   * The day or month it delivers; `null` for the statements that were newly closed.
   * @example "2026-11-24"
   */
  period!: string | null;

  /** Name of the admin key that asked for it; `null` if the schedule did. */
  requestedBy!: string | null;

  /** `retrying` is tried again at `nextAttemptAt`; `failed` was given up. */
  state!: 'waiting' | 'running' | 'retrying' | 'done' | 'failed';

  attempts!: number;

  nextAttemptAt!: string | null;

  /** Why the last attempt failed. */
  error!: string | null;

  /** CSV files that were written. */
  files!: number;

  /** Those of them that replaced an earlier revision, because rows came late. */
  revised!: number;

  /** Lines of all of them without the headers. */
  rows!: number;

  finishedAt!: string | null;
}

export class DeliveryRunPage {
  items!: DeliveryRunView[];

  /** Give it back as `cursor` for the next page; `null` on the last. */
  nextCursor!: string | null;
}

export class DeliveryRunsQuery extends PageQuery {
  /** Only runs of this delivery, configured or not. */
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9_-]{0,31}$/, { message: 'must be the name of a delivery' })
  delivery?: string;

  /** Only runs in this state. */
  @IsOptional()
  @IsIn(RUN_STATES)
  state?: 'waiting' | 'running' | 'retrying' | 'done' | 'failed';
}

export class RunDeliveryDto {
  /**
   * A day of the reports that are delivered by day, a month of the others; left out: what the schedule would deliver now.
   * @example "2026-11-24"
   */
  @IsOptional()
  @Matches(/^\d{4}-\d{2}(-\d{2})?$/, { message: 'must be a day such as 2026-11-24, or a month such as 2026-11' })
  period?: string;
}
