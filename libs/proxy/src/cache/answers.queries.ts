import type { Tx } from '@app/platform';

export interface StoredAnswer {
  /** Sealed. */
  readonly answer: Buffer;
  readonly ageSeconds: number;
}

/** In the tenant's own transaction, so that there are no answers but its own. */
export async function selectAnswer(tx: Tx, id: Buffer, maxAgeSeconds: number): Promise<StoredAnswer | null> {
  const [row] = await tx.query<StoredAnswer>(
    `SELECT answer, greatest(0, floor(extract(epoch FROM clock_timestamp() - stored_at)))::int AS "ageSeconds"
     FROM cached_answers
     WHERE tenant_id = $1 AND id = $2 AND expires_at > clock_timestamp()
       AND stored_at > clock_timestamp() - $3 * interval '1 second'`,
    [tx.principal.tenantId, id, maxAgeSeconds],
  );
  return row ?? null;
}

/** A newer answer takes the place of an older one. Of a tenant that was deleted meanwhile, or is being deleted now, nothing is kept. */
export const putAnswer = (tx: Tx, id: Buffer, answer: Buffer, keptSeconds: number): Promise<unknown> =>
  tx.query(
    `INSERT INTO cached_answers AS kept (tenant_id, id, answer, expires_at)
     SELECT d.id, $2, $3, clock_timestamp() + $4 * interval '1 second'
     FROM tenants d WHERE d.id = $1 AND d.status <> 'deleted' FOR SHARE
     ON CONFLICT (tenant_id, id) DO UPDATE
       SET answer = excluded.answer, stored_at = excluded.stored_at, expires_at = excluded.expires_at`,
    [tx.principal.tenantId, id, answer, keptSeconds],
  );

/** Removes the tenant's oldest until what is left has no more bytes. */
export const trimAnswers = (tx: Tx, maxBytes: number): Promise<unknown> =>
  tx.query(
    `DELETE FROM cached_answers kept USING (
       SELECT id, sum(bytes) OVER (ORDER BY stored_at DESC, id) AS newer FROM cached_answers WHERE tenant_id = $1) old
     WHERE kept.tenant_id = $1 AND kept.id = old.id AND old.newer > $2`,
    [tx.principal.tenantId, maxBytes],
  );

/** Removes what is over its time, of all tenants, up to `limit`; answers how many. */
export async function deleteExpired(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `WITH gone AS (
       DELETE FROM cached_answers WHERE (tenant_id, id) IN (
         SELECT tenant_id, id FROM cached_answers WHERE expires_at <= clock_timestamp() LIMIT $1) RETURNING 1)
     SELECT count(*)::int AS count FROM gone`,
    [limit],
  );
  return row?.count ?? 0;
}

/** Removes all of a tenant; answers how many there were, and their bytes. */
export async function deleteAnswers(tx: Tx, tenantId: string): Promise<{ answers: number; bytes: number }> {
  const [row] = await tx.query<{ answers: number; bytes: number }>(
    `WITH gone AS (DELETE FROM cached_answers WHERE tenant_id = $1 RETURNING bytes)
     SELECT count(*)::int AS answers, coalesce(sum(bytes), 0)::float8 AS bytes FROM gone`,
    [tenantId],
  );
  return row as { answers: number; bytes: number };
}

const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** An id that cannot be one never reaches the database. */
export const isTenant = async (tx: Tx, tenantId: string): Promise<boolean> =>
  TENANT_ID.test(tenantId) && (await tx.query('SELECT FROM tenants WHERE id = $1', [tenantId])).length > 0;
