import { Injectable } from '@nestjs/common';
import { Clock, CodedError, Config, Database, decodeCursor, pageOf, type Principal } from '@app/platform';
import { periodOf } from './period';
import { readAs, readStart } from './reading';
import { NOTHING, NOTHING_SAVED } from './report';
import { ledgerId, recordView, totalsView } from './usage-record';
import type {
  AdminRequestsQuery,
  AdminUsageQuery,
  TenantUsageQuery,
  UsageRecord,
  UsageRecordPage,
  UsageReport,
} from './usage.dto';
import { selectRequest, selectRequests, selectUsage, type RequestCursor } from './usage.queries';

const MAX_ITEMS = 1_000;

/** What was used and what it cost. A tenant's principal sees its own, whatever it asks for; an admin's sees all. */
@Injectable()
export class Usage {
  constructor(
    private readonly database: Database,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** @throws CodedError `validation_failed`, `tenant_not_found` */
  async rollUp(principal: Principal, query: AdminUsageQuery | TenantUsageQuery): Promise<UsageReport> {
    const { timezone } = this.config.current;
    const period = periodOf(query, timezone, this.clock.now());
    const tenant = ('tenant' in query ? query.tenant : undefined) ?? null;
    return readAs(
      this.database,
      principal,
    )(async (tx) => {
      const { now, currency } = await readStart(tx, tenant);
      const groups = await selectUsage(tx, query.by, { ...period, tenant, asOf: now }, timezone, MAX_ITEMS);
      const [totals, ...items] = groups;
      return {
        from: period.from.toISOString(),
        to: period.to.toISOString(),
        by: query.by,
        currency,
        items: items.map(({ key, label, ...sums }) => ({ key, label, ...totalsView(sums) })),
        moreItems: Number(totals?.groups ?? 0n) - items.length,
        totals: totalsView(totals && items.length > 0 ? totals : { ...NOTHING, ...NOTHING_SAVED }),
      };
    });
  }

  /** Newest first. @throws CodedError `validation_failed`, `tenant_not_found`, `cursor_invalid` */
  async requests(principal: Principal, query: AdminRequestsQuery): Promise<UsageRecordPage> {
    const period = periodOf(query, this.config.current.timezone, this.clock.now());
    const tenant = query.tenant ?? null;
    const after = query.cursor === undefined ? null : requestCursorOf(query.cursor);
    return readAs(
      this.database,
      principal,
    )(async (tx) => {
      const { now } = await readStart(tx, tenant);
      const rows = await selectRequests(tx, { ...period, tenant, asOf: now }, query, after, query.limit + 1);
      const page = pageOf(rows, query.limit, ({ at, id }) => [at.toISOString(), id], recordView);
      return { items: [...page.items], nextCursor: page.nextCursor };
    });
  }

  /** @throws CodedError `usage_not_found` for what is not there or not the reader's */
  async request(principal: Principal, id: string): Promise<UsageRecord> {
    const hex = ledgerId(id);
    const row = hex && (await readAs(this.database, principal)((tx) => selectRequest(tx, hex)));
    if (!row) throw new CodedError('usage_not_found');
    return recordView(row);
  }
}

/** Where a page of requests ended. @throws CodedError `cursor_invalid` */
export function requestCursorOf(cursor: string): RequestCursor {
  const [at = '', id = ''] = decodeCursor(cursor, 2);
  if (!/^2\d{3}-\d\d-\d\dT[\d:.]{12}Z$/.test(at) || Number.isNaN(Date.parse(at)) || !/^[0-9a-f]{32}$/.test(id))
    throw new CodedError('cursor_invalid');
  return { at, id };
}
