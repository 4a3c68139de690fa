import { dashed, type Tx } from '@app/platform';
import { refuseArchivedRows } from '../ledger/archives.queries';
import { rolledUp, rowByRow, SOME, sumUp } from '../roll-up/lines';
import { apiOf } from '../ledger/api-codes';
import { parametersOf, pathTo, type Selection } from '../ledger/selection';
import { SAVINGS, SUMS, type Savings, type Sums } from './reading';
import { DETAIL, LABELS, timesOf, type DetailRow } from './usage-record';
import { daysOf } from './period';

/** What usage is summed by, and the key's label where it says little to people. */
const KEYS = {
  tenant: { key: () => 'l.tenant_id', label: '(SELECT name FROM tenants WHERE id = g.key)' },
  model: { key: () => 'l.model', label: 'NULL' },
  token: { key: () => 'l.token_id', label: '(SELECT label FROM tokens WHERE id = g.key)' },
  // Which of the days it is, from 1.
  day: { key: (beginnings: string) => `width_bucket(l.at, ${beginnings})`, label: 'NULL' },
  subject: { key: () => 'l.subject', label: 'NULL' },
  endUser: { key: () => 'l.end_user', label: 'NULL' },
  costCenter: { key: () => 'l.cost_center', label: 'NULL' },
  api: { key: () => apiOf('l.api'), label: 'NULL' },
} as const;

export type UsageKey = keyof typeof KEYS;

/** What the roll-up does not tell apart. */
const ROW_BY_ROW: ReadonlySet<UsageKey> = new Set(['subject', 'endUser', 'api']);

export interface UsageGroup extends Sums, Savings {
  readonly total: boolean;
  readonly key: string | null;
  readonly label: string | null;
  /** How many groups there are, shown or not. */
  readonly groups: bigint;
}

/**
 * The totals first, then up to `limit` groups. Without rows the totals' sums are null or zero.
 */
export async function selectUsage(
  tx: Tx,
  by: UsageKey,
  selection: Selection,
  timeZone: string,
  limit: number,
): Promise<UsageGroup[]> {
  const days = by === 'day' ? [...daysOf(selection, timeZone)] : [];
  const { key, label } = KEYS[by];
  const order = by === 'day' ? 'key' : '"costNanos" DESC, key COLLATE "C"';
  const groups = await sumUp<UsageGroup>(
    tx,
    ROW_BY_ROW.has(by)
      ? rowByRow(tx, selection)
      : await rolledUp(
          tx,
          selection,
          days.slice(1).map(({ from }) => from),
        ),
    (lines, next) => `
      SELECT g.*, ${label} AS label FROM (
        SELECT grouping(l.key) = 1 AS total, l.key, count(*) OVER () - 1 AS groups, ${SUMS}, ${SAVINGS}
        FROM (SELECT ${key(`$${next + 1}::timestamptz[]`)} AS key, l.* FROM ${lines} WHERE $${next + 1}::timestamptz[] IS NOT NULL) l
        GROUP BY GROUPING SETS ((l.key), ()) HAVING grouping(l.key) = 1 OR ${SOME}
        ORDER BY total DESC, ${order}
        LIMIT $${next}) g
      ORDER BY total DESC, ${order}`,
    [limit + 1, days.map(({ from }) => from.toISOString())],
  );
  return by === 'day' ? groups.map((group) => ({ ...group, key: days[Number(group.key) - 1]?.date ?? null })) : groups;
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

/** Newest first. @throws CodedError `ledger_month_archived` */
export async function selectRequests(
  tx: Tx,
  selection: Selection,
  { model, token, status }: RequestFilter,
  after: RequestCursor | null,
  limit: number,
): Promise<DetailRow[]> {
  const { selected, order } = pathTo(tx, selection, 'DESC');
  const rest = after ? { ...selection, to: justAfter(new Date(after.at), selection.to) } : selection;
  const rows = await tx.query<DetailRow>(
    `SELECT ${DETAIL} FROM ledger l ${LABELS}
     WHERE ${selected} AND ($5::text IS NULL OR l.model = $5) AND ($6::text IS NULL OR l.token_id = $6)
       AND ($7::text IS NULL OR l.status = $7) AND ($8::timestamptz IS NULL OR (l.at, l.id) < ($8, $9::uuid))
     ORDER BY ${order} LIMIT $10`,
    [...parametersOf(rest), model ?? null, token ?? null, status ?? null, after?.at ?? null, after?.id ?? null, limit],
  );
  await refuseArchivedRows(tx, selection);
  return rows;
}

/** Rows before one are no later; said like this, months that are done with are not looked at. */
const justAfter = (at: Date, end: Date): Date => new Date(Math.min(at.getTime() + 1, end.getTime()));

/**
 * Searches only a sliver of the ledger.
 * @throws CodedError `ledger_month_archived` when it is not there and may be in a month that was taken out
 */
export async function selectRequest(tx: Tx, id: string): Promise<DetailRow | undefined> {
  const { from, to } = timesOf(id);
  const [row] = await tx.query<DetailRow>(
    `SELECT ${DETAIL} FROM ledger l ${LABELS} WHERE l.id = $1 AND l.at BETWEEN $2 AND $3`,
    [dashed(id), from.toISOString(), to.toISOString()],
  );
  if (!row) await refuseArchivedRows(tx, { from, to });
  return row;
}
