import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import { Clock, Database, type Principal } from '@app/platform';
import { ownTenantId } from './own-tenant-id';
import { changeSettings, settingsChange } from './tenant-settings';
import { tenantView } from './tenant-view';
import type { TenantView } from './tenant.dto';
import { findTenant, lockTenant } from './tenants.queries';
import { TenantRow } from './tenant.entity';

/** The department, as it sees itself. */
@Injectable()
export class OwnTenantService {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly audit: Audit,
  ) {}

  show(principal: Principal): Promise<TenantView> {
    return this.db.tenant(principal, async (tx) => tenantView(await findTenant(tx, ownTenantId(principal))));
  }

  /**
   * @param body as it was sent
   * @throws CodedError `setting_reserved` naming what is not the tenant's to set, `validation_failed`
   */
  async change(principal: Principal, body: unknown): Promise<TenantView> {
    const change = settingsChange(body);
    return this.db.tenant(principal, async (tx) => {
      const id = ownTenantId(principal);
      const before = await lockTenant(tx, id);
      if (Object.keys(change).length === 0) return tenantView(before);
      const overlay = { settings: changeSettings(before.settings, change), updatedAt: this.clock.now() };
      await tx.repository(TenantRow).update({ id }, overlay);
      const view = tenantView({ ...before, ...overlay });
      tx.announce('tenant', id);
      await this.audit.record(tx, {
        action: 'tenant.changed',
        tenant: id,
        target: { kind: 'tenant', id },
        before: tenantView(before),
        after: view,
      });
      return view;
    });
  }
}
