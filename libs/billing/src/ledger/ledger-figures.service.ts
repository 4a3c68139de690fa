import { Injectable } from '@nestjs/common';
import { Clock, Database, type Principal } from '@app/platform';
import { UNDECIDED } from '../corrections/undecided';

export interface UncertainRows {
  readonly tenantId: string;
  readonly status: 'unconfirmed' | 'quarantined';
  readonly rows: bigint;
}

/** What of the ledger is unsure, for metrics. */
@Injectable()
export class LedgerFigures {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Rows since the beginning of last month (UTC) that nobody has confirmed or corrected, counted in a partial index.
   * @throws CodedError `database_unavailable`
   */
  uncertain(principal: Principal): Promise<UncertainRows[]> {
    const now = this.clock.now();
    const since = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));
    return this.database.platform(principal, (tx) =>
      tx.query<UncertainRows>(
        `SELECT tenant_id AS "tenantId", status, count(*) AS rows FROM ledger l
         WHERE at >= $1 AND status IN ('estimated', 'unconfirmed', 'quarantined') AND status <> 'estimated'
           AND ${UNDECIDED}
         GROUP BY 1, 2 ORDER BY 1, 2`,
        [since],
      ),
    );
  }
}
