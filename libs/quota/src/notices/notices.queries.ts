import type { Tx } from '@app/platform';
import { bigints } from '../bigints';
import { EACH, type Scope } from '../scopes/scope';
import type { Metric, Period } from '../windows';

/** A window that somebody is to hear of. */
export interface NoticedWindow {
  readonly tenant_id: string | null;
  readonly scope: Scope;
  readonly target: string;
  readonly metric: Metric;
  readonly period: Period;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly limit_amount: bigint | null;
  readonly spent: bigint;
  readonly leased: bigint;
}

export interface ReachedWindow extends NoticedWindow {
  readonly percent: number;
}

/**
 * SQL for whether a threshold may have been crossed by an increase of what is spent, wherever they are: they are whole percents up to
 * 100, so at most a hundred increases of a window need a look at them.
 */
export const crossesPercent = (limit: string, before: string, after: string): string =>
  `${limit} IS NOT NULL AND ${percentOf(before, limit)} < ${percentOf(after, limit)}`;

/** Whole percents reached; with nothing spent none, whatever the limit. */
const percentOf = (spent: string, limit: string): string =>
  `CASE WHEN ${spent} <= 0 THEN 0 WHEN ${spent} >= ${limit} THEN 100 ELSE div(${spent}::numeric * 100, ${limit}) END`;

const COLUMNS =
  'w.tenant_id, w.scope, w.target, w.metric, w.period, w.starts_at, w.ends_at, w.limit_amount, w.spent, w.leased';

/**
 * Marks the thresholds that windows have reached, once each, and gives the highest of those just marked, unless a higher one was
 * marked before. The windows are locked by the transaction.
 */
export const markReached = (tx: Tx, windowIds: readonly bigint[]): Promise<ReachedWindow[]> =>
  tx.query(
    `WITH reached AS (
       SELECT w.id, t.percent FROM budget_windows w
       CROSS JOIN LATERAL (SELECT b.thresholds FROM budgets b
         WHERE b.tenant_id IS NOT DISTINCT FROM w.tenant_id AND (b.scope, b.metric, b.period) = (w.scope, w.metric, w.period)
           AND (b.target = w.target OR b.target = '${EACH}' AND w.scope IN ('token', 'user'))
         ORDER BY b.target = w.target DESC LIMIT 1) b
       CROSS JOIN LATERAL unnest(b.thresholds) AS t(percent)
       WHERE w.id = ANY($1::bigint[]) AND w.spent > 0 AND w.spent::numeric * 100 >= w.limit_amount::numeric * t.percent
     ), marked AS (
       INSERT INTO budget_notices (window_id, percent) SELECT id, percent FROM reached
       ON CONFLICT (window_id, percent) DO NOTHING RETURNING window_id, percent
     ), highest AS (
       SELECT window_id, max(percent) AS percent FROM marked GROUP BY window_id
     )
     SELECT ${COLUMNS}, h.percent FROM highest h JOIN budget_windows w ON w.id = h.window_id
     WHERE NOT EXISTS (SELECT 1 FROM budget_notices n WHERE n.window_id = w.id AND n.percent > h.percent)
     ORDER BY w.id`,
    [bigints(windowIds)],
  );

/** Marks that a request was refused in a window; gives the window to the first. */
export async function markRefused(tx: Tx, windowId: bigint): Promise<NoticedWindow | undefined> {
  const [window] = await tx.query<NoticedWindow>(
    `WITH marked AS (
       INSERT INTO budget_notices (window_id, percent) VALUES ($1, NULL)
       ON CONFLICT (window_id, percent) DO NOTHING RETURNING window_id
     )
     SELECT ${COLUMNS} FROM marked m JOIN budget_windows w ON w.id = m.window_id`,
    [String(windowId)],
  );
  return window;
}
