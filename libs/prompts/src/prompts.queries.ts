import type { Tx } from '@app/platform';
import type { Envelope } from './envelope';
import type { PromptHead } from './prompt-entry';

export interface PromptRow extends PromptHead, Envelope {
  readonly keyId: string;
}

const HEAD = `request_id AS "requestId", tenant_id AS "tenantId", at, token_id AS "tokenId", model, api, status,
  request_bytes AS "requestBytes", answer_bytes AS "answerBytes", is_whole AS "isWhole", key_id AS "keyId"`;

/** Writes entries once. Those of a tenant that was deleted meanwhile, or is being deleted now, are left out. Resolves to how many were written. */
export async function insertPrompts(tx: Tx, all: readonly PromptRow[]): Promise<number> {
  // Held until the end, so that a deletion that is under way is waited for, and one that comes later finds the entries.
  const held = await tx.query<{ id: string }>(
    "SELECT id FROM tenants WHERE id = ANY ($1) AND status <> 'deleted' FOR SHARE",
    [all.map(({ tenantId }) => tenantId)],
  );
  const there = new Set(held.map(({ id }) => id));
  const rows = all.filter(({ tenantId }) => there.has(tenantId));
  const column = <Key extends keyof PromptRow>(key: Key): PromptRow[Key][] => rows.map((row) => row[key]);
  const written = await tx.query(
    `INSERT INTO prompt_log (request_id, tenant_id, at, token_id, model, api, status, request_bytes, answer_bytes, is_whole,
                             key_id, wrapped_key, sealed)
     SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::int[],
                          $8::int[], $9::int[], $10::boolean[], $11::text[], $12::bytea[], $13::bytea[])
     ON CONFLICT (request_id) DO NOTHING RETURNING 1`,
    [
      column('requestId'),
      column('tenantId'),
      column('at').map((at) => at.toISOString()),
      column('tokenId'),
      column('model'),
      column('api'),
      column('status'),
      column('requestBytes'),
      column('answerBytes'),
      column('isWhole'),
      column('keyId'),
      column('wrappedKey'),
      column('sealed'),
    ],
  );
  return written.length;
}

export interface PromptFilter {
  readonly tenantId: string;
  readonly from: Date | null;
  readonly to: Date | null;
  /** Of the entry before the page. */
  readonly before: readonly [at: Date, requestId: string] | null;
  readonly most: number;
}

/** Newest first. */
export function findPrompts(
  tx: Tx,
  { tenantId, from, to, before, most }: PromptFilter,
): Promise<(PromptHead & { readonly keyId: string })[]> {
  return tx.query(
    `SELECT ${HEAD} FROM prompt_log
     WHERE tenant_id = $1 AND at >= coalesce($2, '-infinity'::timestamptz) AND at < coalesce($3, 'infinity'::timestamptz)
       AND ($4::timestamptz IS NULL OR (at, request_id) < ($4, $5))
     ORDER BY at DESC, request_id DESC LIMIT $6`,
    [tenantId, from, to, before?.[0] ?? null, before?.[1] ?? null, most],
  );
}

export async function findPrompt(tx: Tx, requestId: string): Promise<PromptRow | undefined> {
  const [row] = await tx.query<PromptRow>(
    `SELECT ${HEAD}, wrapped_key AS "wrappedKey", sealed FROM prompt_log WHERE request_id = $1`,
    [requestId],
  );
  return row;
}

/** Deletes what is of days before a day. Resolves to how many. */
export async function deletePromptsBefore(tx: Tx, day: Date): Promise<number> {
  const deleted = await tx.query('DELETE FROM prompt_log WHERE at < $1 RETURNING 1', [day]);
  return deleted.length;
}

export async function deletePromptsOf(tx: Tx, tenantId: string): Promise<void> {
  await tx.query('DELETE FROM prompt_log WHERE tenant_id = $1', [tenantId]);
}
