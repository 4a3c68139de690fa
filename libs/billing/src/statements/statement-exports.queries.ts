import type { Tx } from '@app/platform';

/** What somebody outside the gateway has of a statement: a file that was downloaded whole, or all that a delivery wrote. */
export type StatementExport = 'bill' | 'digests' | 'delivery';

/** When a statement `s` had left the gateway whole, or null: with both of its files, or delivered. */
export const EXPORTED_AT = `(SELECT CASE
    WHEN bool_or(e.file = 'delivery') THEN min(e.exported_at) FILTER (WHERE e.file = 'delivery')
    WHEN count(*) = 2 THEN max(e.exported_at) END
  FROM statement_exports e WHERE e.statement_id = s.id)`;

/** Records an export, once for each kind. Tells whether the statement is exported now and was not before. */
export async function insertExport(tx: Tx, id: string, file: StatementExport): Promise<boolean> {
  const before = await isExported(tx, id);
  await tx.query(
    `INSERT INTO statement_exports (statement_id, file, exported_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [id, file, tx.principal.id],
  );
  return !before && (await isExported(tx, id));
}

async function isExported(tx: Tx, id: string): Promise<boolean> {
  const [statement] = await tx.query<{ at: Date | null }>(
    `SELECT ${EXPORTED_AT} AS at FROM statements s WHERE s.id = $1`,
    [id],
  );
  return (statement?.at ?? null) !== null;
}
