import type { Tx } from '@app/platform';
import type { ModelEntry } from './model-entry';

export interface ModelRow extends ModelEntry {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const COLUMNS = `id, provider, upstream_model AS "upstreamModel", display_name AS "displayName",
  context_tokens AS "contextTokens", max_output_tokens AS "maxOutputTokens", created_at AS "createdAt", updated_at AS "updatedAt"`;

export const selectModels = (tx: Tx): Promise<ModelRow[]> =>
  tx.query<ModelRow>(`SELECT ${COLUMNS} FROM models ORDER BY id COLLATE "C"`);

export const selectModelPage = (tx: Tx, after: string, limit: number): Promise<ModelRow[]> =>
  tx.query<ModelRow>(`SELECT ${COLUMNS} FROM models WHERE id COLLATE "C" > $1 ORDER BY id COLLATE "C" LIMIT $2`, [
    after,
    limit,
  ]);

export async function selectModel(tx: Tx, id: string, lock: 'FOR UPDATE' | '' = ''): Promise<ModelRow | undefined> {
  const [row] = await tx.query<ModelRow>(`SELECT ${COLUMNS} FROM models WHERE id = $1 ${lock}`, [id]);
  return row;
}

/** Writes an entry, new or not, and returns it. */
export async function upsertModel(tx: Tx, entry: ModelEntry, now: Date): Promise<ModelRow> {
  const [row] = await tx.query<ModelRow>(
    `INSERT INTO models (id, provider, upstream_model, display_name, context_tokens, max_output_tokens, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
     ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, upstream_model = excluded.upstream_model,
       display_name = excluded.display_name, context_tokens = excluded.context_tokens,
       max_output_tokens = excluded.max_output_tokens, updated_at = excluded.updated_at
     RETURNING ${COLUMNS}`,
    [
      entry.id,
      entry.provider,
      entry.upstreamModel,
      entry.displayName,
      entry.contextTokens,
      entry.maxOutputTokens,
      now.toISOString(),
    ],
  );
  return row as ModelRow;
}

export const deleteModel = (tx: Tx, id: string): Promise<unknown> => tx.query('DELETE FROM models WHERE id = $1', [id]);
