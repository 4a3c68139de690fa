import { dashed, type Tx } from '@app/platform';

/** The booking of all corrections that follow from one rate card, and how far it is. */
export interface CardCorrection {
  readonly version: number;
  readonly currency: string;
  readonly reason: string;
  readonly effectiveAt: Date;
  /** When the next card takes effect, and this one ends; `null` while none follows. */
  readonly endsAt: Date | null;
  /** Whether another card with the same moment has taken its place. */
  readonly isSuperseded: boolean;
  /** Rows booked up to here are done with; `null` before the first pass has ended. */
  readonly doneUpTo: Date | null;
  /** Which rows the pass under way is about: those booked up to here. `null` between passes. */
  readonly passUpTo: Date | null;
  /** Where the pass under way is. */
  readonly after: { readonly at: Date; readonly id: string } | null;
  readonly counts: CardCorrectionCounts;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** What became of the rows that had been priced by another card. */
export interface CardCorrectionCounts {
  readonly corrected: number;
  /** The card costs them the same. */
  readonly unchanged: number;
  /** It has no price for their model, so that they stay as they are billed. */
  readonly unpriced: number;
  /** A person has stated what they cost. */
  readonly stated: number;
}

export interface TenantDifference {
  readonly tenant: string;
  readonly rows: number;
  readonly differenceNanos: bigint;
}

type FlatRow = Omit<CardCorrection, 'after' | 'counts'> &
  CardCorrectionCounts & { readonly afterAt: Date | null; readonly afterId: string | null };

const SELECT = `
  SELECT k.version, c.currency, k.reason, c.effective_at AS "effectiveAt", k.done_up_to AS "doneUpTo", k.pass_up_to AS "passUpTo",
    k.after_at AS "afterAt", replace(k.after_id::text, '-', '') AS "afterId", k.corrected::float8 AS corrected,
    k.unchanged::float8 AS unchanged, k.unpriced::float8 AS unpriced, k.stated::float8 AS stated,
    c.created_at AS "createdAt", c.created_by AS "createdBy",
    (SELECT min(n.effective_at) FROM rate_cards n WHERE n.effective_at > c.effective_at) AS "endsAt",
    EXISTS (SELECT FROM rate_cards n WHERE n.effective_at = c.effective_at AND n.version > c.version) AS "isSuperseded"
  FROM card_corrections k JOIN rate_cards c USING (version)`;

const nested = ({ afterAt, afterId, corrected, unchanged, unpriced, stated, ...row }: FlatRow): CardCorrection => ({
  ...row,
  after: afterAt && afterId ? { at: afterAt, id: afterId } : null,
  counts: { corrected, unchanged, unpriced, stated },
});

export const insertCardCorrection = (tx: Tx, version: number, reason: string): Promise<unknown> =>
  tx.query('INSERT INTO card_corrections (version, reason) VALUES ($1, $2)', [version, reason]);

export async function selectCardCorrection(tx: Tx, version: number): Promise<CardCorrection | undefined> {
  const [row] = await tx.query<FlatRow>(`${SELECT} WHERE k.version = $1`, [version]);
  return row && nested(row);
}

export async function selectCardCorrections(tx: Tx): Promise<CardCorrection[]> {
  return (await tx.query<FlatRow>(`${SELECT} ORDER BY k.version`)).map(nested);
}

export const selectDifferences = (tx: Tx, version: number): Promise<TenantDifference[]> =>
  tx.query<TenantDifference>(
    `SELECT tenant_id AS tenant, rows::float8 AS rows, difference_nanos AS "differenceNanos" FROM card_correction_tenants
     WHERE version = $1 ORDER BY tenant_id COLLATE "C"`,
    [version],
  );

/** Begins a pass over the rows booked up to an instant. */
export const beginPass = (tx: Tx, version: number, upTo: Date): Promise<unknown> =>
  tx.query('UPDATE card_corrections SET pass_up_to = $2, after_at = NULL, after_id = NULL WHERE version = $1', [
    version,
    upTo.toISOString(),
  ]);

export const endPass = (tx: Tx, version: number): Promise<unknown> =>
  tx.query(
    `UPDATE card_corrections SET done_up_to = pass_up_to, pass_up_to = NULL, after_at = NULL, after_id = NULL
     WHERE version = $1`,
    [version],
  );

/** Notes how far a pass has come, in the transaction that books what it found. */
export async function noteProgress(
  tx: Tx,
  version: number,
  after: { readonly at: Date; readonly id: string },
  { corrected, unchanged, unpriced, stated }: CardCorrectionCounts,
  differences: readonly TenantDifference[],
): Promise<void> {
  await tx.query(
    `UPDATE card_corrections SET after_at = $2, after_id = $3, corrected = corrected + $4, unchanged = unchanged + $5,
       unpriced = unpriced + $6, stated = stated + $7 WHERE version = $1`,
    [version, after.at.toISOString(), dashed(after.id), corrected, unchanged, unpriced, stated],
  );
  await tx.query(
    `INSERT INTO card_correction_tenants AS t (version, tenant_id, rows, difference_nanos)
     SELECT $1, d.tenant_id, d.rows, d.difference FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS d(tenant_id, rows, difference)
     ON CONFLICT (version, tenant_id)
     DO UPDATE SET rows = t.rows + excluded.rows, difference_nanos = t.difference_nanos + excluded.difference_nanos`,
    [
      version,
      differences.map(({ tenant }) => tenant),
      differences.map(({ rows }) => rows),
      differences.map(({ differenceNanos }) => String(differenceNanos)),
    ],
  );
}
