import { CodedError, type Tx } from '@app/platform';
import type { Books } from './books';
import { EACH, type Owner } from './scopes/scope';
import type { Meter, Metric, Period, Window } from './windows';

/** A meter's window, as the database knows it. Amounts in the metric's unit. */
export interface WindowRow {
  readonly id: bigint;
  readonly metric: Metric;
  readonly period: Period;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly limit_amount: bigint | null;
  readonly spent: bigint;
  readonly leased: bigint;
}

export interface MeterWindow extends Meter {
  readonly window: Window;
}

/**
 * Of so many end users a tenant's budget of each is kept apart in a period. Callers make their names up, and each new one costs a window;
 * in the period in which the budget was set, also a look at all that the tenant has booked in it.
 */
const MOST_END_USERS = 10_000;

/** Clocks of gateway processes differ by less, and no budget takes so long to be set. */
const CLOCKS_DIFFER_MS = 3_600_000;

const COLUMNS = 'id, metric, period, starts_at, ends_at, limit_amount, spent, leased';

/** SQL for the rows of an owner whose tenant is `$1`; `w` or whatever they are called. */
export const isOf = ({ tenantId }: Pick<Owner, 'tenantId'>, table = 'w'): string =>
  tenantId === null ? `$1::text IS NULL AND ${table}.tenant_id IS NULL` : `${table}.tenant_id = $1`;

/** SQL for whether `b` is a target's own budget, or the one that each has; of tenant `$1`, scope `$2`. */
const isMeant = (owner: Owner, meter: string, target: string): string =>
  `${isOf(owner, 'b')} AND b.scope = $2 AND b.metric = ${meter}.metric AND b.period = ${meter}.period
     AND b.target IN (${target}, ${owner.scope === 'token' || owner.scope === 'user' ? `'${EACH}'` : target})`;

/** SQL for the limit of a target's own budget, or else of the one that each has. */
export const limitOf = (owner: Owner, meter: string, target: string): string =>
  `(SELECT b.limit_amount FROM budgets b WHERE ${isMeant(owner, meter, target)} ORDER BY b.target = ${target} DESC LIMIT 1)`;

/** Budgets of the organisation are set by one at a time, and while nobody makes its windows: of the two, the later sees what the earlier did. */
export async function lockOrganisation(tx: Tx, to: 'make windows' | 'set budgets'): Promise<void> {
  const mode = to === 'make windows' ? '_shared' : '';
  await tx.query(`SELECT pg_advisory_xact_lock${mode}(hashtext('organisation budgets'))`);
}

/** The same for a tenant's. @throws CodedError `tenant_not_found` */
async function shareOwner(tx: Tx, { tenantId }: Owner): Promise<void> {
  if (tenantId === null) return lockOrganisation(tx, 'make windows');
  const [tenant] = await tx.query('SELECT 1 FROM tenants WHERE id = $1 FOR SHARE', [tenantId]);
  if (!tenant) throw new CodedError('tenant_not_found');
}

/**
 * Makes the windows that are not there yet, with the limits in force. A tenant's own are there from its first call, and begin
 * with nothing spent. Others are only where there is a budget. Where that was set in the period, they begin with what the ledger has
 * of them, and thresholds that are behind that are told. Where it was there before, every process has known it since its own first
 * call of the period (`BudgetDirectory.readSince`), and whoever has no window yet has used nothing.
 * @throws CodedError `tenant_not_found`, `end_users_exceeded`
 */
export async function ensureWindows(
  tx: Tx,
  owner: Owner,
  meters: readonly MeterWindow[],
  { ledger, notices }: Books,
): Promise<void> {
  await shareOwner(tx, owner);
  if (owner.scope === 'tenant') return void (await insertWindows(tx, owner, meters, []));
  const missing = await missingWindows(tx, owner, meters);
  if (missing.length === 0) return;
  if (owner.scope === 'user') for (const meter of missing) await refuseOneTooMany(tx, owner, meter);
  // From here on nobody books: what the ledger has now is counted here, and what comes later by whoever books it.
  if (!missing.every(isAllCounted)) await ledger.pauseBooking(tx);
  const spent: bigint[] = [];
  for (const each of missing)
    spent.push(isAllCounted(each) ? 0n : (await ledger.used(tx, owner, each.window))[each.metric]);
  await notices.reached(tx, ledger, await insertWindows(tx, owner, missing, spent));
}

const insertWindows = async (
  tx: Tx,
  owner: Owner,
  meters: readonly MeterWindow[],
  spent: readonly bigint[],
): Promise<bigint[]> => {
  const inserted = await tx.query<{ id: bigint }>(
    `INSERT INTO budget_windows (tenant_id, scope, target, metric, period, starts_at, ends_at, limit_amount, ceiling, spent)
     SELECT $1, $2, $3, m.metric, m.period, m.starts_at, m.ends_at, l.amount,
       CASE WHEN l.amount IS NOT NULL THEN greatest(l.amount, m.spent) END, m.spent
     FROM unnest($4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::bigint[])
         AS m(metric, period, starts_at, ends_at, spent)
       CROSS JOIN LATERAL (SELECT ${limitOf(owner, 'm', '$3')} AS amount) l
     ON CONFLICT (tenant_id, metric, period, scope, target, starts_at) DO NOTHING RETURNING id`,
    [
      ...fieldsOf(owner),
      ...columnsOf(meters),
      meters.map(({ window }) => new Date(window.endsAtMs)),
      meters.map((_, index) => String(spent[index] ?? 0n)),
    ],
  );
  return inserted.map(({ id }) => id);
};

/** An end user who has a budget of its own is never one too many. @throws CodedError `end_users_exceeded` */
async function refuseOneTooMany(tx: Tx, owner: Owner, { metric, period, window }: MeterWindow): Promise<void> {
  const tooMany = await tx.query(
    `SELECT 1 FROM budget_windows w
     WHERE ${isOf(owner)} AND (scope, metric, period, starts_at) = ($2, $4, $5, $6)
       AND NOT EXISTS (SELECT 1 FROM budgets b WHERE ${isOf(owner, 'b')} AND (b.scope, b.target, b.metric, b.period) = ($2, $3, $4, $5))
     OFFSET $7 LIMIT 1`,
    [...fieldsOf(owner), metric, period, new Date(window.startsAtMs), MOST_END_USERS - 1],
  );
  if (tooMany.length > 0)
    throw new CodedError(
      'end_users_exceeded',
      `${MOST_END_USERS} end users have a budget each in this ${period} already, which is the most that are kept apart.`,
    );
}

/** A window that a budget demands, and that is not there. */
interface MissingWindow extends MeterWindow {
  /** Since when there has been a budget of its owner's, or of each. */
  readonly budgetSince: Date;
}

const isAllCounted = ({ budgetSince, window }: MissingWindow): boolean =>
  budgetSince.getTime() + CLOCKS_DIFFER_MS <= window.startsAtMs;

async function missingWindows(tx: Tx, owner: Owner, meters: readonly MeterWindow[]): Promise<MissingWindow[]> {
  const missing = await tx.query<Meter & { since: Date }>(
    `SELECT m.metric, m.period, b.since FROM unnest($4::text[], $5::text[], $6::timestamptz[]) AS m(metric, period, starts_at)
       CROSS JOIN LATERAL (SELECT min(b.created_at) AS since FROM budgets b WHERE ${isMeant(owner, 'm', '$3')}) b
     WHERE b.since IS NOT NULL AND NOT EXISTS (SELECT 1 FROM budget_windows w WHERE ${isOf(owner)}
       AND (w.metric, w.period, w.scope, w.target, w.starts_at) = (m.metric, m.period, $2, $3, m.starts_at))`,
    [...fieldsOf(owner), ...columnsOf(meters)],
  );
  return meters.flatMap((meter) => {
    const found = missing.find(({ metric, period }) => metric === meter.metric && period === meter.period);
    return found ? [{ ...meter, budgetSince: found.since }] : [];
  });
}

/**
 * Locks windows for a change, in the order of their ids as everybody does. The statement that follows sees what whoever
 * held them before has left behind; the locking statement itself would not, in all of its parts.
 */
export const lockWindows = (tx: Tx, owner: Owner, meters: readonly MeterWindow[]): Promise<WindowRow[]> =>
  tx.query(
    `SELECT ${COLUMNS} FROM budget_windows w
     WHERE ${isOf(owner)} AND (scope, target) = ($2, $3) AND (metric, period, starts_at) IN
       (SELECT * FROM unnest($4::text[], $5::text[], $6::timestamptz[]))
     ORDER BY id FOR UPDATE`,
    [...fieldsOf(owner), ...columnsOf(meters)],
  );

export const lockWindowIds = (tx: Tx, ids: readonly bigint[]): Promise<unknown[]> =>
  tx.query('SELECT id FROM budget_windows WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [ids.map(String)]);

/**
 * Removes windows that ended by an instant, and that they were told of. What a process has leased, or somebody wrote off, stays.
 * @returns how many
 */
export async function deleteWindows(tx: Tx, endedBy: Date, most: number): Promise<number> {
  const deleted = await tx.query(
    `WITH old AS (
       SELECT id FROM budget_windows w WHERE ends_at <= $1 AND leased = 0 AND written_off = 0 AND uncovered = 0
         AND NOT EXISTS (SELECT FROM leases l WHERE l.window_id = w.id AND (l.amount > 0 OR l.written_off > 0))
       ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED),
     told AS (DELETE FROM budget_notices n USING old WHERE n.window_id = old.id),
     empty AS (DELETE FROM leases l USING old WHERE l.window_id = old.id)
     DELETE FROM budget_windows w USING old WHERE w.id = old.id RETURNING w.id`,
    [endedBy, most],
  );
  return deleted.length;
}

/** As `$1`, `$2` and `$3`. */
export const fieldsOf = ({ tenantId, scope, target }: Owner): unknown[] => [tenantId, scope, target];

const columnsOf = (meters: readonly MeterWindow[]): unknown[] => [
  meters.map(({ metric }) => metric),
  meters.map(({ period }) => period),
  meters.map(({ window }) => new Date(window.startsAtMs)),
];

/**
 * SQL for the ceiling of a window whose spent and leased are about to become the given expressions: the limit, or what is
 * used if that is more. It falls with what is used, and rises only for usage that no lease covers.
 */
export const ceilingOf = (spent: string, leased: string): string =>
  `CASE WHEN w.limit_amount IS NULL THEN NULL ELSE greatest(w.limit_amount, ${spent} + ${leased}) END`;
