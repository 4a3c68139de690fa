import type { Tx } from '@app/platform';
import type { Scope } from '../scopes/scope';
import type { Metric, Period } from '../windows';

/** How budget windows under way stand; amounts in the metric's unit. Those of tokens and end users are one sum for each tenant. */
export interface WindowFigures {
  /** `null` for all tenants together. */
  readonly tenantId: string | null;
  readonly scope: Scope;
  /** A model or a pattern; else empty. */
  readonly target: string;
  readonly metric: Metric;
  readonly period: Period;
  /** With the top-up; `null` where nothing is limited. */
  readonly limit: bigint | null;
  readonly topUp: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  readonly writtenOff: bigint;
  /** What is above the limit and was not above it when the limit was lowered, and usage that no lease covered. Must be 0. */
  readonly enforcementError: bigint;
}

/**
 * As many rows as there are tenants and models with budgets, however many tokens and people call. A budget whose period nobody has called
 * in yet has no window there, and is told all the same: without its limit it would look like none. Not so after the end of a tenant,
 * of which only what it has used in the period is still told.
 */
export const windowFigures = (tx: Tx, now: Date): Promise<WindowFigures[]> =>
  tx.query(
    `SELECT tenant_id AS "tenantId", scope, CASE WHEN scope = 'model' THEN target ELSE '' END AS target, metric, period,
       sum(limit_amount)::bigint AS "limit", sum(top_up)::bigint AS "topUp", sum(spent)::bigint AS spent,
       sum(leased)::bigint AS held, sum(written_off)::bigint AS "writtenOff",
       sum(greatest(spent + leased - coalesce(ceiling, spent + leased), 0) + uncovered)::bigint AS "enforcementError"
     FROM (
       SELECT tenant_id, scope, target, metric, period, limit_amount, top_up, spent, leased, written_off, ceiling, uncovered
       FROM budget_windows WHERE starts_at <= $1 AND ends_at > $1
       UNION ALL SELECT tenant_id, scope, target, metric, period, limit_amount, 0, 0, 0, 0, limit_amount, 0
       FROM budgets b WHERE scope IN ('organisation', 'tenant', 'model')
         AND NOT EXISTS (SELECT FROM budget_windows w WHERE w.tenant_id IS NOT DISTINCT FROM b.tenant_id
           AND (w.scope, w.target, w.metric, w.period) = (b.scope, b.target, b.metric, b.period)
           AND w.starts_at <= $1 AND w.ends_at > $1)) w
     WHERE spent + leased > 0 OR NOT EXISTS (SELECT FROM tenants t WHERE t.id = w.tenant_id AND t.status = 'deleted')
     GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`,
    [now],
  );
