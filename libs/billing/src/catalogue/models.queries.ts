import type { Tx } from '@app/platform';
import { EVER, rolledUp, SOME, sumUp } from '../roll-up/lines';
import type { ModelEntry } from './model-entry';

const HOUR_MS = 3_600_000;

export interface ModelRow extends ModelEntry {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A column, and what of an entry is in it. */
const FIELDS: readonly (readonly [column: string, field: keyof ModelEntry])[] = [
  ['id', 'id'],
  ['provider', 'provider'],
  ['upstream_model', 'upstreamModel'],
  ['display_name', 'displayName'],
  ['context_tokens', 'contextTokens'],
  ['max_output_tokens', 'maxOutputTokens'],
  ['tokenizer', 'tokenizer'],
  ['image_tokens', 'imageTokens'],
  ['image_patch_pixels', 'imagePatchPixels'],
  ['audio_tokens_per_second', 'audioTokensPerSecond'],
  ['search_tokens', 'searchTokens'],
  ['max_searches', 'maxSearches'],
];

const COLUMNS = [...FIELDS, ['created_at', 'createdAt'], ['updated_at', 'updatedAt']]
  .map(([column, field]) => `${column} AS "${field}"`)
  .join(', ');

const NOW = `$${FIELDS.length + 1}`;
const UPSERT = `
  INSERT INTO models (${FIELDS.map(([column]) => column).join(', ')}, created_at, updated_at)
  VALUES (${FIELDS.map((_, index) => `$${index + 1}`).join(', ')}, ${NOW}, ${NOW})
  ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at,
    ${FIELDS.map(([column]) => `${column} = excluded.${column}`).join(', ')}
  RETURNING ${COLUMNS}`;

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
  const [row] = await tx.query<ModelRow>(UPSERT, [
    ...FIELDS.map(([, field]) => entry[field] ?? null),
    now.toISOString(),
  ]);
  return row as ModelRow;
}

export const deleteModel = (tx: Tx, id: string): Promise<unknown> => tx.query('DELETE FROM models WHERE id = $1', [id]);

/** Public names that were called since the beginning of an hour. */
export async function selectModelsInUse(tx: Tx, since: Date): Promise<string[]> {
  const hour = new Date(Math.floor(since.getTime() / HOUR_MS) * HOUR_MS);
  const rows = await sumUp<{ model: string }>(
    tx,
    await rolledUp(tx, { from: hour, to: EVER, tenant: null, asOf: EVER }),
    (lines) => `SELECT l.model FROM ${lines} GROUP BY l.model HAVING ${SOME} ORDER BY l.model COLLATE "C"`,
  );
  return rows.map(({ model }) => model);
}
