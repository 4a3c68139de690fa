import { CodedError, type Tx } from '@app/platform';
import { formatAmount } from './amounts';
import type { BudgetView } from './budget.dto';
import { holderOf } from './scopes/lineages.queries';
import { EACH, isEach, type Owner } from './scopes/scope';
import { DEFAULT_THRESHOLDS } from './notices/thresholds';
import { fieldsOf, isOf, limitOf } from './limits.queries';
import { lockOrganisation } from './new-windows.queries';
import type { MeterWindow, Metric, Period } from './windows';

/** One budget, or what there could be one of. */
export interface BudgetPlace {
  readonly owner: Owner;
  readonly meter: MeterWindow;
}

/** How a budget stands. */
export interface BudgetStanding {
  readonly place: BudgetPlace;
  readonly view: BudgetView;
  /** Whether windows tell what was used in the period; else nothing is told to be. */
  readonly isCounted: boolean;
}

const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** Locks the tenant against windows that are being made. @throws CodedError `tenant_not_found`, `tenant_state` */
export async function lockTenant(tx: Tx, tenantId: string): Promise<void> {
  if (!TENANT_ID.test(tenantId)) throw new CodedError('tenant_not_found');
  const [tenant] = await tx.query<{ status: string }>('SELECT status FROM tenants WHERE id = $1 FOR NO KEY UPDATE', [
    tenantId,
  ]);
  if (!tenant) throw new CodedError('tenant_not_found');
  if (tenant.status === 'deleted')
    throw new CodedError('tenant_state', 'The tenant is deleted; its budgets are history.');
}

/**
 * Locks an owner's tenant, or the organisation, against windows that are being made.
 * @returns who has the budget, see `holderOf`
 * @throws CodedError `tenant_not_found`, `tenant_state`, `token_not_found`
 */
export async function lockForSetting(tx: Tx, owner: Owner): Promise<Owner> {
  const { tenantId } = owner;
  if (tenantId === null) await lockOrganisation(tx, 'set budgets');
  else await lockTenant(tx, tenantId);
  return findHolder(tx, owner);
}

/** Who has the budget that is meant, see `holderOf`. @throws CodedError `token_not_found` */
export async function findHolder(tx: Tx, owner: Owner): Promise<Owner> {
  const { tenantId, scope, target } = owner;
  if (scope !== 'token' || target === EACH) return owner;
  const tokens = await tx.query('SELECT 1 FROM tokens WHERE tenant_id = $1 AND id = $2', [tenantId, target]);
  if (tokens.length === 0) throw new CodedError('token_not_found');
  return holderOf(tx, owner);
}

/** @throws CodedError `tenant_not_found` */
export async function findTenant(tx: Tx, tenantId: string): Promise<void> {
  const found = TENANT_ID.test(tenantId) && (await tx.query('SELECT 1 FROM tenants WHERE id = $1', [tenantId]));
  if (!found || found.length === 0) throw new CodedError('tenant_not_found');
}

interface StandingRow {
  readonly limit_amount: bigint | null;
  readonly top_up: bigint;
  readonly thresholds: number[] | null;
  readonly spent: bigint;
  readonly written_off: bigint;
  readonly leased: bigint;
  readonly targets: bigint;
  readonly used_up: bigint;
  readonly has_window: boolean;
}

/**
 * How budgets of one tenant, or of the organisation, stand in their windows, in the order they are asked for.
 * @param currency of costs; `null` before there are prices
 */
export async function readBudgets(
  tx: Tx,
  tenantId: string | null,
  places: readonly BudgetPlace[],
  currency: string | null,
): Promise<BudgetStanding[]> {
  const of = isOf({ tenantId });
  const rows = await tx.query<StandingRow>(
    `SELECT coalesce(own.limit_amount, every.limit_amount) AS limit_amount, coalesce(w.top_up, 0) AS top_up,
       CASE WHEN own.id IS NOT NULL THEN own.thresholds ELSE every.thresholds END AS thresholds,
       coalesce(w.spent, e.spent, 0) AS spent, coalesce(w.written_off, e.written_off, 0) AS written_off,
       coalesce(w.leased, e.leased, 0) AS leased,
       e.targets, e.used_up, w.id IS NOT NULL AS has_window
     FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bool[]) WITH ORDINALITY
         AS m(scope, target, metric, period, starts_at, each, n)
       LEFT JOIN budgets own ON ${isOf({ tenantId }, 'own')}
         AND (own.metric, own.period, own.scope, own.target) = (m.metric, m.period, m.scope, m.target)
       LEFT JOIN budgets every ON ${isOf({ tenantId }, 'every')} AND m.scope IN ('token', 'user')
         AND (every.metric, every.period, every.scope, every.target) = (m.metric, m.period, m.scope, '${EACH}')
       LEFT JOIN budget_windows w ON ${of} AND NOT m.each
         AND (w.metric, w.period, w.scope, w.starts_at, w.target) = (m.metric, m.period, m.scope, m.starts_at, m.target)
       CROSS JOIN LATERAL (SELECT sum(w.spent)::bigint AS spent, sum(w.written_off)::bigint AS written_off,
           sum(w.leased)::bigint AS leased, count(*) AS targets,
           count(*) FILTER (WHERE w.spent >= w.limit_amount) AS used_up
         FROM budget_windows w WHERE m.each AND ${of}
           AND (w.metric, w.period, w.scope, w.starts_at) = (m.metric, m.period, m.scope, m.starts_at)
           AND NOT EXISTS (SELECT 1 FROM budgets b WHERE ${isOf({ tenantId }, 'b')} AND w.target <> '${EACH}'
             AND (b.metric, b.period, b.scope, b.target) = (w.metric, w.period, w.scope, w.target))) e
     ORDER BY m.n`,
    [
      tenantId,
      places.map(({ owner }) => owner.scope),
      places.map(({ owner }) => owner.target),
      places.map(({ meter }) => meter.metric),
      places.map(({ meter }) => meter.period),
      places.map(({ meter }) => new Date(meter.window.startsAtMs)),
      places.map(({ owner }) => isEach(owner)),
    ],
  );
  return rows.map((row, index) => {
    const place = places[index] as BudgetPlace;
    return { place, view: viewOf(place, row, currency), isCounted: row.has_window || isEach(place.owner) };
  });
}

function viewOf({ owner, meter }: BudgetPlace, row: StandingRow, currency: string | null): BudgetView {
  const { metric, period, window } = meter;
  const amount = (value: bigint): string => formatAmount(metric, value);
  return {
    metric,
    currency: metric === 'cost' ? currency : null,
    period,
    scope: owner.scope,
    target: owner.target === '' ? null : owner.target,
    limit: row.limit_amount === null ? null : amount(row.limit_amount),
    topUp: amount(row.top_up),
    thresholds: row.thresholds ?? [],
    spent: amount(row.spent),
    writtenOff: amount(row.written_off),
    held: amount(row.leased),
    startsAt: new Date(window.startsAtMs).toISOString(),
    resetsAt: new Date(window.endsAtMs).toISOString(),
    targets: isEach(owner) ? Number(row.targets) : null,
    targetsUsedUp: isEach(owner) ? Number(row.used_up) : null,
  };
}

/** What there are budgets of. */
export interface BudgetRow {
  readonly scope: Owner['scope'];
  readonly target: string;
  readonly metric: Metric;
  readonly period: Period;
}

/** The budgets of a tenant's parts, or the organisation's, in their order, after the one with that key. */
export const selectBudgets = (
  tx: Tx,
  tenantId: string | null,
  { scope, after, limit }: { readonly scope?: string; readonly after?: readonly string[]; readonly limit: number },
): Promise<BudgetRow[]> =>
  tx.query(
    `SELECT scope, target, metric, period FROM budgets w
     WHERE ${isOf({ tenantId })} AND scope <> 'tenant' AND ($2::text IS NULL OR scope = $2)
       AND ($3::text IS NULL OR (scope, target, metric, period) > ($3, $4, $5, $6))
     ORDER BY scope, target, metric, period LIMIT $7`,
    [tenantId, scope ?? null, ...(after ?? [null, null, null, null]), limit],
  );

/** Writes the limit into the budget; `limitWindows` makes it take effect. */
export async function saveBudget(
  tx: Tx,
  id: string,
  { owner, meter: { metric, period } }: BudgetPlace,
  limit: bigint,
  thresholds: readonly number[] | undefined,
  now: Date,
): Promise<void> {
  await tx.query(
    `INSERT INTO budgets AS b (id, tenant_id, scope, target, metric, period, limit_amount, thresholds, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($9::smallint[], $10::smallint[]), $8, $8)
     ON CONFLICT (tenant_id, metric, period, scope, target)
     DO UPDATE SET limit_amount = excluded.limit_amount, thresholds = coalesce($9::smallint[], b.thresholds), updated_at = excluded.updated_at`,
    [id, ...fieldsOf(owner), metric, period, String(limit), now, thresholds ?? null, DEFAULT_THRESHOLDS],
  );
}

export async function deleteBudget(tx: Tx, { owner, meter: { metric, period } }: BudgetPlace): Promise<boolean> {
  const deleted = await tx.query(
    `DELETE FROM budgets w WHERE ${isOf(owner)} AND (scope, target, metric, period) = ($2, $3, $4, $5) RETURNING id`,
    [...fieldsOf(owner), metric, period],
  );
  return deleted.length > 0;
}

/**
 * Puts the limits in force, or none, on the windows that have not ended: the owner's, or those of each that a budget holds for.
 * Their top-up and what they have used stay; see `ceilingOf`.
 * @returns the windows, locked
 */
export async function limitWindows(tx: Tx, { owner, meter }: BudgetPlace): Promise<bigint[]> {
  const { metric, period, window } = meter;
  const locked = await tx.query<{ id: bigint }>(
    `SELECT id FROM budget_windows w WHERE ${isOf(owner)} AND (scope, metric, period) = ($2, $4, $5)
       AND ends_at > $6 AND (target = $3 OR $7) ORDER BY id FOR UPDATE`,
    [...fieldsOf(owner), metric, period, new Date(window.startsAtMs), isEach(owner)],
  );
  await tx.query(
    `UPDATE budget_windows w SET limit_amount = l.amount + w.top_up,
       ceiling = CASE WHEN l.amount IS NOT NULL THEN greatest(l.amount + w.top_up, w.spent + w.leased) END
     FROM (SELECT x.id, ${limitOf(owner, 'x', 'x.target')} AS amount FROM budget_windows x
           WHERE x.id = ANY($3::bigint[])) l
     WHERE w.id = l.id`,
    [owner.tenantId, owner.scope, locked.map(({ id }) => String(id))],
  );
  return locked.map(({ id }) => id);
}

/**
 * Adds to the limit of one window, or takes from it; the others keep theirs.
 * @returns the window, locked; `null` if there is none that has a limit
 */
export async function topUpWindow(tx: Tx, { owner, meter }: BudgetPlace, amount: bigint): Promise<bigint | null> {
  const { metric, period, window } = meter;
  const [topped] = await tx.query<{ id: bigint }>(
    `UPDATE budget_windows w SET limit_amount = limit_amount + $7::bigint, top_up = top_up + $7::bigint,
       ceiling = greatest(limit_amount + $7::bigint, spent + leased)
     WHERE ${isOf(owner)} AND (scope, target, metric, period, starts_at) = ($2, $3, $4, $5, $6) AND limit_amount IS NOT NULL
     RETURNING id`,
    [...fieldsOf(owner), metric, period, new Date(window.startsAtMs), String(amount)],
  );
  return topped?.id ?? null;
}
