import { CodedError, type Tx } from '@app/platform';
import { TENANT_ID } from '../words';
import { TenantRow } from './tenant.entity';

/** The row, whatever its status. @throws CodedError `tenant_not_found` */
export async function findTenant(tx: Tx, tenantId: string): Promise<TenantRow> {
  return present(await tx.repository(TenantRow).findOneBy({ id: wellFormed(tenantId) }));
}

/** The same, locked until the transaction ends: changes of one tenant happen one after the other. */
export async function lockTenant(tx: Tx, tenantId: string): Promise<TenantRow> {
  const where = { id: wellFormed(tenantId) };
  return present(await tx.repository(TenantRow).findOne({ where, lock: { mode: 'pessimistic_write' } }));
}

/**
 * Makes sure that the tenant is there and stays there until the transaction ends; its own changes may go on.
 * @throws CodedError `tenant_not_found`, `tenant_state`
 */
export async function holdTenant(tx: Tx, tenantId: string): Promise<void> {
  const id = wellFormed(tenantId);
  const [row] = await tx.query<{ status: string }>('SELECT status FROM tenants WHERE id = $1 FOR SHARE', [id]);
  if (present(row).status === 'deleted') throw isDeleted(id);
}

export const isDeleted = (tenantId: string): CodedError =>
  new CodedError('tenant_state', `The tenant ${tenantId} is deleted; only its bills and audit records remain.`);

/** An id that cannot be one never reaches the database, which would fail on some of them. */
function wellFormed(tenantId: string): string {
  if (!TENANT_ID.test(tenantId)) throw new CodedError('tenant_not_found');
  return tenantId;
}

function present<T>(row: T | null | undefined): T {
  if (row === null || row === undefined) throw new CodedError('tenant_not_found');
  return row;
}
