import { dashed, type Tx } from '@app/platform';
import { refuseArchivedRows } from '../ledger/archives.queries';
import { BOOKED_AT } from '../ledger/ledger.queries';
import type { LedgerStatus } from '../ledger/ledger-row';
import { TOKEN_CLASSES, TOKEN_COLUMNS, type TokenClass, type TokenCounts } from '../pricing/token-counts';
import { timesOf } from '../reports/usage-record';
import type { BilledState, Difference } from './correction';

/** A row of the ledger that is no correction, and what it is billed at by now. */
export interface CorrectableRow extends BilledState {
  /** 32 hex digits. */
  readonly id: string;
  readonly at: Date;
  readonly tenantId: string;
  readonly tokenId: string;
  readonly subject: string | null;
  readonly endUser: string | null;
  readonly model: string;
  readonly status: LedgerStatus;
}

/** A correction about to be booked. */
export interface CorrectionDraft extends Difference {
  /** 32 hex digits, its own. */
  readonly id: string;
  readonly corrects: Pick<CorrectableRow, 'id' | 'at'>;
  readonly rateCard: number;
  readonly formula: number;
  readonly reason: string;
}

/** What adds up over a row and its corrections. */
const ADDED = [...TOKEN_CLASSES.map((tokenClass) => TOKEN_COLUMNS[tokenClass]), 'web_searches', 'cost_nanos'];

/**
 * Joins to `l` all corrections of it, as `k`. They have its time, so the index of corrections has them side by side.
 */
const CORRECTIONS = `LEFT JOIN LATERAL (
  SELECT count(*)::int AS corrections, ${ADDED.map((name) => `sum(c.${name})::bigint AS ${name}`).join(', ')},
    sum(coalesce(c.list_cost_nanos, c.cost_nanos))::bigint AS list_cost_nanos,
    (array_agg(c.rate_card ORDER BY c.id DESC))[1] AS rate_card, (array_agg(c.formula ORDER BY c.id DESC))[1] AS formula
  FROM ledger c WHERE c.at = l.at AND c.corrects = l.id) k ON true`;

const now = (name: string): string => `(l.${name} + coalesce(k.${name}, 0))`;

const CORRECTABLE = `replace(l.id::text, '-', '') AS id, l.at, l.tenant_id AS "tenantId", l.token_id AS "tokenId", l.subject,
  l.end_user AS "endUser", l.model, l.status, l.formula::int AS "ownFormula", k.corrections,
  ${TOKEN_CLASSES.map((tokenClass) => `${now(TOKEN_COLUMNS[tokenClass])}::bigint AS "${tokenClass}"`).join(', ')},
  ${now('web_searches')}::int AS "webSearches", l.service_tier AS "serviceTier", ${now('cost_nanos')}::bigint AS "costNanos",
  (coalesce(l.list_cost_nanos, l.cost_nanos) + coalesce(k.list_cost_nanos, 0))::bigint AS "listCostNanos",
  coalesce(k.rate_card, l.rate_card) AS "rateCard", coalesce(k.formula, l.formula)::int AS formula`;

type FlatRow = Omit<CorrectableRow, 'counts'> & Readonly<Record<TokenClass, bigint>>;

const nested = (row: FlatRow): CorrectableRow => ({
  ...row,
  counts: Object.fromEntries(
    TOKEN_CLASSES.map((tokenClass) => [tokenClass, Number(row[tokenClass])]),
  ) as unknown as TokenCounts,
});

/** Keeps all other corrections waiting until the transaction ends: each corrects what the ones before have left. */
export const lockCorrections = (tx: Tx): Promise<unknown> =>
  tx.query("SELECT pg_advisory_xact_lock(hashtext('ledger corrections'))");

/**
 * A row by its id, 32 hex digits; a correction too.
 * @throws CodedError `ledger_month_archived` when it is not there and may be in a month that was taken out
 */
export async function selectCorrectable(tx: Tx, id: string): Promise<CorrectableRow | undefined> {
  const { from, to } = timesOf(id);
  const [row] = await tx.query<FlatRow>(
    `SELECT ${CORRECTABLE} FROM ledger l ${CORRECTIONS} WHERE l.id = $1 AND l.at BETWEEN $2 AND $3`,
    [dashed(id), from.toISOString(), to.toISOString()],
  );
  if (!row) await refuseArchivedRows(tx, { from, to });
  return row && nested(row);
}

/** How some rows are billed by now, by their ids. */
export async function selectStates(
  tx: Tx,
  rows: readonly Pick<CorrectableRow, 'at' | 'id'>[],
): Promise<ReadonlyMap<string, CorrectableRow>> {
  const found = await tx.query<FlatRow>(
    `SELECT ${CORRECTABLE} FROM ledger l ${CORRECTIONS}
     WHERE (l.at, l.id) IN (SELECT * FROM unnest($1::timestamptz[], $2::uuid[]))`,
    [rows.map(({ at }) => at.toISOString()), rows.map(({ id }) => id)],
  );
  return new Map(found.map((row) => [row.id, nested(row)]));
}

/** Which rows a batch is cut from; those of `where` with its parameters, which begin at `$5`. */
export interface Batch {
  readonly from: Date;
  /** Up to, and not including. */
  readonly to: Date;
  /** Where the batch before ended. */
  readonly after: { readonly at: Date; readonly id: string } | null;
  readonly limit: number;
}

/** Rows that are no corrections, in the order of their calls. */
export async function selectBatch(
  tx: Tx,
  { from, to, after, limit }: Batch,
  where: string,
  parameters: readonly unknown[],
): Promise<CorrectableRow[]> {
  const rows = await tx.query<FlatRow>(
    `SELECT ${CORRECTABLE}
     FROM (SELECT * FROM ledger l
           WHERE l.at >= $1 AND l.at < $2 AND ($3::timestamptz IS NULL OR (l.at, l.id) > ($3, $4::uuid))
             AND l.status <> 'correction' AND ${where}
           ORDER BY l.at, l.id LIMIT ${limit}) l ${CORRECTIONS}
     ORDER BY l.at, l.id`,
    [from.toISOString(), to.toISOString(), after?.at.toISOString() ?? null, after && dashed(after.id), ...parameters],
  );
  return rows.map(nested);
}

/** A column of a correction that is its own; all others are those of the row it corrects. */
const OWN: readonly [name: string, type: string, value: (draft: CorrectionDraft) => unknown][] = [
  ['id', 'uuid', ({ id }) => id],
  ['rate_card', 'int', ({ rateCard }) => rateCard],
  ['formula', 'smallint', ({ formula }) => formula],
  ...TOKEN_CLASSES.map((tokenClass): (typeof OWN)[number] => [
    TOKEN_COLUMNS[tokenClass],
    'bigint',
    ({ counts }) => counts[tokenClass],
  ]),
  ['web_searches', 'int', ({ webSearches }) => webSearches],
  ['cost_nanos', 'bigint', ({ costNanos }) => String(costNanos)],
  [
    'list_cost_nanos',
    'bigint',
    ({ listCostNanos, costNanos }) => (listCostNanos === costNanos ? null : String(listCostNanos)),
  ],
  ['reason', 'text', ({ reason }) => reason],
];

const COPIED = [
  'at',
  'tenant_id',
  'cost_center',
  'token_id',
  'subject',
  'end_user',
  'api',
  'model',
  'provider',
  'provider_request_id',
  'service_tier',
  'outcome',
];

// The cost centre is the corrected row's too: a correction must reach the department that was charged.
const INSERT = `
  INSERT INTO ledger (${[...OWN.map(([name]) => name), ...COPIED].join(', ')}, status, corrects, booked_at)
  SELECT ${OWN.map(([name]) => `c.${name}`).join(', ')}, ${COPIED.map((name) => `r.${name}`).join(', ')},
    'correction', r.id, ${BOOKED_AT}
  FROM unnest($1::timestamptz[], $2::uuid[], ${OWN.map(([, type], index) => `$${index + 3}::${type}[]`).join(', ')})
    AS c (corrected_at, corrected_id, ${OWN.map(([name]) => name).join(', ')})
  JOIN ledger r ON r.at = c.corrected_at AND r.id = c.corrected_id
  RETURNING id`;

export async function insertCorrections(tx: Tx, drafts: readonly CorrectionDraft[]): Promise<void> {
  const inserted = await tx.query(INSERT, [
    drafts.map(({ corrects }) => corrects.at.toISOString()),
    drafts.map(({ corrects }) => corrects.id),
    ...OWN.map(([, , value]) => drafts.map(value)),
  ]);
  if (inserted.length !== drafts.length)
    throw new Error(`${drafts.length} corrections make ${inserted.length} rows of the ledger`);
}
