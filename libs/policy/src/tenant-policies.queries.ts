import type { Tx } from '@app/platform';
import type { PolicyContent } from './rule';

/** A stored policy; `tenantId` is null for the one of all tenants. */
export interface PolicyRow {
  readonly tenantId: string | null;
  readonly content: PolicyContent;
  readonly updatedAt: Date;
}

const ROW = 'tenant_id AS "tenantId", content, updated_at AS "updatedAt"';

/** Of a tenant, or of all tenants. */
export async function readPolicy(tx: Tx, tenantId: string | null): Promise<PolicyRow | null> {
  const [row] = await tx.query<PolicyRow>(
    `SELECT ${ROW} FROM tenant_policies WHERE tenant_id IS NOT DISTINCT FROM $1`,
    [tenantId],
  );
  return row ?? null;
}

/** All that this transaction may see: a tenant's sees its own and the one of all tenants. */
export const readPolicies = (tx: Tx): Promise<PolicyRow[]> => tx.query<PolicyRow>(`SELECT ${ROW} FROM tenant_policies`);

export async function savePolicy(
  tx: Tx,
  tenantId: string | null,
  content: PolicyContent,
  updatedAt: Date,
): Promise<void> {
  await tx.query(
    `INSERT INTO tenant_policies (tenant_id, content, updated_at) VALUES ($1, $2, $3)
     ON CONFLICT (tenant_id) DO UPDATE SET content = excluded.content, updated_at = excluded.updated_at`,
    [tenantId, JSON.stringify(content), updatedAt],
  );
}

export async function deletePolicy(tx: Tx, tenantId: string | null): Promise<void> {
  await tx.query('DELETE FROM tenant_policies WHERE tenant_id IS NOT DISTINCT FROM $1', [tenantId]);
}

/** Changes of the policy of all tenants happen one after the other, also while there is none. */
export const lockOrganisationPolicy = (tx: Tx): Promise<unknown> =>
  tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('policy of all tenants', 0))`);
