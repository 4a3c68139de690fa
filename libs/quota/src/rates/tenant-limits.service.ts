import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import { Database, type Principal } from '@app/platform';
import { findTenant, lockTenant } from '../budgets.queries';
import type { SetTenantLimits, TenantLimitsView } from './tenant-limits.dto';
import { readLimits, saveLimits } from './tenant-limits.queries';

/** Sets how fast tenants may call. It takes effect in every gateway process within a second. */
@Injectable()
export class TenantLimits {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
  ) {}

  /** @throws CodedError `tenant_not_found` */
  show(principal: Principal, tenantId: string): Promise<TenantLimitsView> {
    return this.database.platform(principal, async (tx) => {
      await findTenant(tx, tenantId);
      return readLimits(tx, tenantId);
    });
  }

  /** @throws CodedError `tenant_not_found`, `tenant_state` */
  set(principal: Principal, tenantId: string, dto: SetTenantLimits): Promise<TenantLimitsView> {
    return this.database.platform(principal, async (tx) => {
      await lockTenant(tx, tenantId);
      const before = await readLimits(tx, tenantId);
      const given = Object.entries(dto).filter(([, value]) => value !== undefined);
      const after: TenantLimitsView = { ...before, ...(Object.fromEntries(given) as SetTenantLimits) };
      await saveLimits(tx, tenantId, after);
      const target = { kind: 'limits', id: tenantId };
      await this.audit.record(tx, { action: 'limits.set', tenant: tenantId, target, before, after });
      tx.announce('limits', tenantId);
      return after;
    });
  }
}
