import { Audit } from '@app/audit';
import { CodedError, Database, type Principal, type Tx } from '@app/platform';
import { TenantLifecycle } from '@app/tenancy';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { deleteAnswers, isTenant } from './answers.queries';
import type { ClearedCache } from './cache.dto';

/** Empties tenants' caches. */
@Injectable()
export class CachesService implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly lifecycle: TenantLifecycle,
  ) {}

  onModuleInit(): void {
    const onDelete = async (tx: Tx, tenantId: string): Promise<void> => void (await deleteAnswers(tx, tenantId));
    this.lifecycle.register({ name: 'response cache', onDelete });
  }

  /** @throws CodedError `tenant_not_found` */
  clear(principal: Principal, tenantId: string): Promise<ClearedCache> {
    return this.database.platform(principal, async (tx) => {
      if (!(await isTenant(tx, tenantId))) throw new CodedError('tenant_not_found');
      return this.cleared(tx, tenantId);
    });
  }

  /** The caller's own tenant's. */
  clearOwn(principal: Principal): Promise<ClearedCache> {
    return this.database.tenant(principal, (tx) => this.cleared(tx, principal.tenantId as string));
  }

  private async cleared(tx: Tx, tenantId: string): Promise<ClearedCache> {
    const gone = await deleteAnswers(tx, tenantId);
    const target = { kind: 'cache', id: tenantId };
    await this.audit.record(tx, { action: 'cache.cleared', tenant: tenantId, target, before: gone, after: null });
    return { removed: gone.answers };
  }
}
