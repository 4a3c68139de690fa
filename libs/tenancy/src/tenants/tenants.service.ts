import { Injectable } from '@nestjs/common';
import { Audit, type AuditAction } from '@app/audit';
import {
  Clock,
  CodedError,
  Database,
  decodeCursor,
  once,
  pageOf,
  type Page,
  type Principal,
  type Tx,
} from '@app/platform';
import { TENANT_ID } from '../words';
import { TenantLifecycle } from './tenant-lifecycle';
import { changeSettings } from './tenant-settings';
import { tenantView } from './tenant-view';
import type { ChangeTenant, CreateTenant, ListTenants, TenantView } from './tenant.dto';
import { TenantRow } from './tenant.entity';
import { findTenant, isDeleted, lockTenant } from './tenants.queries';

/** Departments, as administrators see them. */
@Injectable()
export class TenantsService {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly audit: Audit,
    private readonly lifecycle: TenantLifecycle,
  ) {}

  /** @throws CodedError `tenant_exists` (a deleted tenant's id included), `setting_reserved`, `validation_failed` */
  create(principal: Principal, dto: CreateTenant, idempotencyKey?: string): Promise<TenantView> {
    const now = this.clock.now();
    return this.db.platform(principal, (tx) =>
      once(tx, idempotencyKey, { create: 'tenant', ...dto }, async () => {
        const row: TenantRow = {
          id: dto.id,
          name: dto.name ?? dto.id,
          status: 'active',
          costCenter: dto.costCenter ?? null,
          allowedModels: dto.allowedModels ?? null,
          settings: changeSettings({}, dto.settings ?? {}),
          promptLog: dto.promptLog ?? false,
          createdAt: now,
          updatedAt: now,
          deletedAt: null,
        };
        await this.insert(tx, row);
        return this.recorded(tx, 'tenant.created', null, row);
      }),
    );
  }

  /** In the order of ids. @throws CodedError `cursor_invalid` */
  list(principal: Principal, { limit, cursor, status }: ListTenants): Promise<Page<TenantView>> {
    const [after] = cursor === undefined ? [null] : decodeCursor(cursor, 1);
    if (typeof after === 'string' && !TENANT_ID.test(after)) throw new CodedError('cursor_invalid');
    return this.db.platform(principal, async (tx) => {
      const query = tx
        .repository(TenantRow)
        .createQueryBuilder('tenant')
        .where('tenant.status IN (:...statuses)', { statuses: status ? [status] : ['active', 'suspended'] })
        .orderBy('tenant.id')
        .take(limit + 1);
      if (after !== null) query.andWhere('tenant.id > :after', { after });
      return pageOf(await query.getMany(), limit, (row) => [row.id], tenantView);
    });
  }

  /** Deleted ones can be looked at too. @throws CodedError `tenant_not_found` */
  show(principal: Principal, tenantId: string): Promise<TenantView> {
    return this.db.platform(principal, async (tx) => tenantView(await findTenant(tx, tenantId)));
  }

  /** @throws CodedError `tenant_not_found`, `tenant_state`, `setting_reserved`, `validation_failed` */
  change(principal: Principal, tenantId: string, dto: ChangeTenant): Promise<TenantView> {
    return this.transition(principal, tenantId, 'tenant.changed', (row) => {
      if (row.status === 'deleted') throw isDeleted(tenantId);
      if (Object.values(dto).every((value) => value === undefined)) return null;
      return {
        name: dto.name ?? row.name,
        costCenter: dto.costCenter === undefined ? row.costCenter : dto.costCenter,
        allowedModels: dto.allowedModels === undefined ? row.allowedModels : dto.allowedModels,
        promptLog: dto.promptLog ?? row.promptLog,
        settings: dto.settings === undefined ? row.settings : changeSettings(row.settings, dto.settings),
      };
    });
  }

  /** Its tokens are refused from now on, its open streams are cut. @throws CodedError `tenant_not_found`, `tenant_state` */
  suspend(principal: Principal, tenantId: string): Promise<TenantView> {
    return this.transition(principal, tenantId, 'tenant.suspended', (row) => {
      if (row.status === 'deleted') throw isDeleted(tenantId);
      return row.status === 'suspended' ? null : { status: 'suspended' };
    });
  }

  /** @throws CodedError `tenant_not_found`, `tenant_state` */
  resume(principal: Principal, tenantId: string): Promise<TenantView> {
    return this.transition(principal, tenantId, 'tenant.resumed', (row) => {
      if (row.status === 'deleted') throw isDeleted(tenantId);
      return row.status === 'active' ? null : { status: 'active' };
    });
  }

  /** Revokes its tokens for good and keeps its id from being given again. @throws CodedError `tenant_not_found` */
  delete(principal: Principal, tenantId: string): Promise<TenantView> {
    const now = this.clock.now();
    return this.transition(
      principal,
      tenantId,
      'tenant.deleted',
      (row) => (row.status === 'deleted' ? null : { status: 'deleted', deletedAt: now }),
      async (tx) => {
        await tx.query('UPDATE tokens SET revoked_at = $2 WHERE tenant_id = $1 AND coalesce(revoked_at > $2, true)', [
          tenantId,
          now,
        ]);
        await this.lifecycle.deleting(tx, tenantId);
      },
    );
  }

  /** Changes a tenant under its lock. Where `decide` finds nothing to change, nothing is written or recorded. */
  private transition(
    principal: Principal,
    tenantId: string,
    action: AuditAction,
    decide: (row: TenantRow) => Partial<TenantRow> | null,
    alongside?: (tx: Tx) => Promise<void>,
  ): Promise<TenantView> {
    return this.db.platform(principal, async (tx) => {
      const before = await lockTenant(tx, tenantId);
      const change = decide(before);
      if (change === null) return tenantView(before);
      const columns = { ...change, updatedAt: this.clock.now() };
      await tx.repository(TenantRow).update({ id: tenantId }, columns);
      await alongside?.(tx);
      return this.recorded(tx, action, before, { ...before, ...columns });
    });
  }

  private async recorded(tx: Tx, action: AuditAction, before: TenantRow | null, after: TenantRow): Promise<TenantView> {
    const view = tenantView(after);
    tx.announce('tenant', after.id);
    await this.audit.record(tx, {
      action,
      tenant: after.id,
      target: { kind: 'tenant', id: after.id },
      before: before && tenantView(before),
      after: view,
    });
    return view;
  }

  private async insert(tx: Tx, row: TenantRow): Promise<void> {
    const inserted = await tx
      .repository(TenantRow)
      .createQueryBuilder()
      .insert()
      .values(row)
      .orIgnore()
      .returning('id')
      .execute();
    if ((inserted.raw as unknown[]).length > 0) return;
    const taken = await findTenant(tx, row.id);
    throw new CodedError(
      'tenant_exists',
      taken.status === 'deleted'
        ? `The tenant ${row.id} was deleted; its bills and audit records remain under that id, so it is never given again.`
        : `The tenant ${row.id} exists.`,
    );
  }
}
