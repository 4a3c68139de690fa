import type { Tx } from '@app/platform';
import { canonicalText, hashOf, rateCard, readContent, type RateCard, type RateCardContent } from './rate-card';

/** A card as it is stored. */
export interface RateCardRow {
  readonly version: number;
  readonly effectiveAt: Date;
  readonly currency: string;
  readonly document: string;
  readonly hash: string;
  readonly createdAt: Date;
  readonly createdBy: string;
}

const COLUMNS = `version, effective_at AS "effectiveAt", currency, document, hash, created_at AS "createdAt", created_by AS "createdBy"`;

/** All cards, or those of some versions. @throws RateCardAltered */
export async function selectRateCards(tx: Tx, versions?: readonly number[]): Promise<RateCard[]> {
  const rows = await tx.query<RateCardRow>(
    `SELECT ${COLUMNS} FROM rate_cards WHERE $1::int[] IS NULL OR version = ANY ($1) ORDER BY version`,
    [versions ?? null],
  );
  return rows.map(({ version, document, hash }) => rateCard(version, hash, readContent(version, document, hash)));
}

/** The stored rows of some versions, in their order. */
export const selectRateCardRows = (tx: Tx, versions: readonly number[]): Promise<RateCardRow[]> =>
  tx.query<RateCardRow>(`SELECT ${COLUMNS} FROM rate_cards WHERE version = ANY ($1) ORDER BY version`, [versions]);

export async function selectRateCard(tx: Tx, version: number): Promise<RateCardRow | undefined> {
  const [row] = await tx.query<RateCardRow>(`SELECT ${COLUMNS} FROM rate_cards WHERE version = $1`, [version]);
  return row;
}

export async function selectRateCardAt(tx: Tx, at: Date): Promise<RateCardRow | undefined> {
  const [row] = await tx.query<RateCardRow>(
    `SELECT ${COLUMNS} FROM rate_cards WHERE effective_at <= $1 ORDER BY effective_at DESC, version DESC LIMIT 1`,
    [at.toISOString()],
  );
  return row;
}

/** When the card after an instant takes effect; `null` while there is none. */
export async function selectNextCardAt(tx: Tx, at: Date): Promise<Date | null> {
  const [row] = await tx.query<{ next: Date | null }>(
    'SELECT min(effective_at) AS next FROM rate_cards WHERE effective_at > $1',
    [at.toISOString()],
  );
  return row?.next ?? null;
}

/** Whom a card marks up and nobody knows. That is no error, because a tenant may come later than its price. */
export async function selectUnknownTenants(tx: Tx, { markups = [] }: RateCardContent): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM unnest($1::text[]) AS named (id)
     WHERE id <> '*' AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = named.id) ORDER BY id COLLATE "C"`,
    [markups.map(({ tenant }) => tenant)],
  );
  return rows.map(({ id }) => id);
}

/** Newest version first. */
export const selectRateCardPage = (tx: Tx, before: number, limit: number): Promise<RateCardRow[]> =>
  tx.query<RateCardRow>(`SELECT ${COLUMNS} FROM rate_cards WHERE version < $1 ORDER BY version DESC LIMIT $2`, [
    before,
    limit,
  ]);

/** Locks out other imports until the transaction ends. */
export const lockOutImports = (tx: Tx): Promise<unknown> =>
  tx.query("SELECT pg_advisory_xact_lock(hashtext('rate_cards'))");

/** What a new card has to fit in with. Locks out other imports until the transaction ends. */
export async function lockRateCards(
  tx: Tx,
  effectiveAt: Date,
): Promise<{ readonly last: number; readonly currency: string | null; readonly clash: number | null }> {
  await lockOutImports(tx);
  const [state] = await tx.query<{ last: number; currency: string | null; clash: number | null }>(
    `SELECT coalesce(max(version), 0) AS last, (array_agg(currency ORDER BY version DESC))[1] AS currency,
       max(version) FILTER (WHERE effective_at = $1) AS clash
     FROM rate_cards`,
    [effectiveAt.toISOString()],
  );
  return state ?? { last: 0, currency: null, clash: null };
}

/** Whether no amount anywhere has a currency yet: nothing was billed, no call holds anything, no budget is set, no card is to come. */
export async function isUnused(tx: Tx, now: Date): Promise<boolean> {
  const [row] = await tx.query<{ unused: boolean }>(
    `SELECT NOT (EXISTS (SELECT FROM ledger) OR EXISTS (SELECT FROM ledger_months) OR EXISTS (SELECT FROM statements)
       OR EXISTS (SELECT FROM budgets WHERE metric = 'cost') OR EXISTS (SELECT FROM budget_windows)
       OR EXISTS (SELECT FROM rate_cards WHERE effective_at > $1)) AS unused`,
    [now.toISOString()],
  );
  return (row as { unused: boolean }).unused;
}

export async function insertRateCard(
  tx: Tx,
  version: number,
  content: RateCardContent,
  now: Date,
): Promise<RateCardRow> {
  const document = canonicalText(content);
  const [row] = await tx.query<RateCardRow>(
    `INSERT INTO rate_cards (version, effective_at, currency, document, hash, created_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${COLUMNS}`,
    [
      version,
      content.effectiveAt.toISOString(),
      content.currency,
      document,
      hashOf(document),
      now.toISOString(),
      tx.principal.id,
    ],
  );
  return row as RateCardRow;
}
