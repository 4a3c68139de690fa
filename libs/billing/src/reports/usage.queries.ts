import { dashed, type Tx } from '@app/platform';
import { parametersOf, SELECTED, SUMS, type Selection, type Sums } from './reading';
import { DETAIL, LABELS, type DetailRow } from './usage-record';

/** What usage is summed by: the key and, where a key says little to people, its label. */
const KEYS = {
  tenant: { key: 'l.tenant_id', label: '(SELECT name FROM tenants WHERE id = g.key)' },
  model: { key: 'l.model', label: 'NULL' },
  token: { key: 'l.token_id', label: '(SELECT label FROM tokens WHERE id = g.key)' },
  day: { key: "to_char(l.at AT TIME ZONE $5, 'YYYY-MM-DD')", label: 'NULL' },
  subject: { key: 'l.subject', label: 'NULL' },
  costCenter: { key: 'l.cost_center', label: 'NULL' },
} as const;

export type UsageKey = keyof typeof KEYS;

export interface UsageGroup extends Sums {
  readonly total: boolean;
  readonly key: string | null;
  readonly label: string | null;
  /** How many groups there are, shown or not. */
  readonly groups: bigint;
}

/** The totals first, then up to `limit` groups. Without rows the totals' sums are null. */
export function selectUsage(
  tx: Tx,
  by: UsageKey,
  selection: Selection,
  timeZone: string,
  limit: number,
): Promise<UsageGroup[]> {
  const { key, label } = KEYS[by];
  return tx.query<UsageGroup>(
    `SELECT g.*, ${label} AS label FROM (
       SELECT grouping(l.key) = 1 AS total, l.key, count(*) OVER () - 1 AS groups, ${SUMS}
       FROM (SELECT ${key} AS key, l.* FROM ledger l WHERE ${SELECTED} AND $5::text IS NOT NULL) l
       GROUP BY GROUPING SETS ((l.key), ())
       ORDER BY 1 DESC, ${by === 'day' ? 'l.key' : '"costNanos" DESC, l.key COLLATE "C"'}
       LIMIT $6) g
     ORDER BY total DESC, ${by === 'day' ? 'key' : '"costNanos" DESC, key COLLATE "C"'}`,
    [...parametersOf(selection), timeZone, limit + 1],
  );
}

export interface RequestFilter {
  readonly model?: string | undefined;
  readonly token?: string | undefined;
  readonly status?: string | undefined;
}

/** Where the page before ended. */
export interface RequestCursor {
  readonly at: string;
  readonly id: string;
}

/** Newest first. */
export const selectRequests = (
  tx: Tx,
  selection: Selection,
  { model, token, status }: RequestFilter,
  after: RequestCursor | null,
  limit: number,
): Promise<DetailRow[]> =>
  tx.query<DetailRow>(
    `SELECT ${DETAIL} FROM ledger l ${LABELS}
     WHERE ${SELECTED} AND ($5::text IS NULL OR l.model = $5) AND ($6::text IS NULL OR l.token_id = $6)
       AND ($7::text IS NULL OR l.status = $7) AND ($8::timestamptz IS NULL OR (l.at, l.id) < ($8, $9::uuid))
     ORDER BY l.at DESC, l.id DESC LIMIT $10`,
    [
      ...parametersOf(selection),
      model ?? null,
      token ?? null,
      status ?? null,
      after?.at ?? null,
      after?.id ?? null,
      limit,
    ],
  );

/** An id tells its time to within an hour of the row's, so that only a sliver of the ledger is searched. */
export async function selectRequest(tx: Tx, id: string): Promise<DetailRow | undefined> {
  const made = new Date(parseInt(id.slice(0, 12), 16));
  const [row] = await tx.query<DetailRow>(
    `SELECT ${DETAIL} FROM ledger l ${LABELS}
     WHERE l.id = $1 AND l.at BETWEEN $2::timestamptz - interval '1 hour' AND $2::timestamptz + interval '1 hour'`,
    [dashed(id), made.toISOString()],
  );
  return row;
}
