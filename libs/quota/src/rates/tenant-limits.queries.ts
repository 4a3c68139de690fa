import type { Tx } from '@app/platform';
import { type TenantLimitsView, UNLIMITED } from './tenant-limits.dto';

const VIEW = `tenant_id AS "tenantId", requests_per_minute AS "requestsPerMinute",
  requests_per_minute_per_token AS "requestsPerMinutePerToken",
  concurrent_requests AS "concurrentRequests", concurrent_requests_per_token AS "concurrentRequestsPerToken"`;

interface LimitsRow extends TenantLimitsView {
  readonly tenantId: string;
}

export async function readLimits(tx: Tx, tenantId: string): Promise<TenantLimitsView> {
  const [row] = await tx.query<LimitsRow>(`SELECT ${VIEW} FROM tenant_limits WHERE tenant_id = $1`, [tenantId]);
  return row ? viewOf(row) : UNLIMITED;
}

/** The limits of all tenants that have some. */
export async function readAllLimits(tx: Tx): Promise<ReadonlyMap<string, TenantLimitsView>> {
  const rows = await tx.query<LimitsRow>(
    `SELECT ${VIEW} FROM tenant_limits
     WHERE num_nonnulls(requests_per_minute, requests_per_minute_per_token, concurrent_requests,
       concurrent_requests_per_token) > 0`,
  );
  return new Map(rows.map((row) => [row.tenantId, viewOf(row)]));
}

export async function saveLimits(tx: Tx, tenantId: string, limits: TenantLimitsView): Promise<void> {
  await tx.query(
    `INSERT INTO tenant_limits (tenant_id, requests_per_minute, requests_per_minute_per_token, concurrent_requests,
       concurrent_requests_per_token, updated_at)
     VALUES ($1, $2, $3, $4, $5, now())
     ON CONFLICT (tenant_id) DO UPDATE SET requests_per_minute = excluded.requests_per_minute,
       requests_per_minute_per_token = excluded.requests_per_minute_per_token,
       concurrent_requests = excluded.concurrent_requests,
       concurrent_requests_per_token = excluded.concurrent_requests_per_token, updated_at = excluded.updated_at`,
    [
      tenantId,
      limits.requestsPerMinute,
      limits.requestsPerMinutePerToken,
      limits.concurrentRequests,
      limits.concurrentRequestsPerToken,
    ],
  );
}

const viewOf = ({ tenantId: _, ...view }: LimitsRow): TenantLimitsView => view;
