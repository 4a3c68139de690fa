import { CodedError, type Tx } from '@app/platform';
import { NOTHING } from './amounts';
import type { Books } from './books';
import type { UsedByUsers } from './ledger-sink';
import { columnsOf, fieldsOf, isMeant, isOf, limitOf } from './limits.queries';
import { EACH, isEach, type Owner } from './scopes/scope';
import type { Meter, MeterWindow, Window } from './windows';

/** Of so many end users a tenant's budget of each is kept apart in a period: callers make their names up, and each new one costs a window. */
const MOST_END_USERS = 10_000;

/** Clocks of gateway processes differ by less, and no budget takes so long to be set. */
const CLOCKS_DIFFER_MS = 3_600_000;

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
 * Makes the windows that are not there yet, where there is a budget, with the limits in force. Where that was set in the period, they
 * begin with what the ledger has of them, and thresholds that are behind that are told. Where it was there before, every process has
 * known it since its own first call of the period (`BudgetDirectory.readFor`), and whoever has no window yet has used nothing.
 * @throws CodedError `tenant_not_found`, `end_users_exceeded`
 */
export async function ensureWindows(tx: Tx, owner: Owner, meters: readonly MeterWindow[], books: Books): Promise<void> {
  await shareOwner(tx, owner);
  const missing = await missingWindows(tx, owner, meters);
  if (missing.length === 0) return;
  if (owner.scope === 'user') for (const meter of missing) await refuseOneTooMany(tx, owner, meter);
  const uncounted = missing.filter((meter) => !isAllCounted(meter, meter.budgetSince));
  // Who has used anything has a window after this, and it is not made a second time.
  const counted = owner.scope === 'user' ? await countUsers(tx, owner, uncounted, books) : new Set();
  const spent: bigint[] = [];
  for (const meter of missing)
    spent.push(!uncounted.includes(meter) || counted.has(meter) ? 0n : await spentSoFar(tx, owner, meter, books));
  await books.notices.reached(tx, books.ledger, await insertWindows(tx, owner, missing, spent));
}

/**
 * A budget was set: makes its window, or those of all end users, or tokens, it is for who have used something.
 * @throws CodedError `end_users_exceeded`
 */
export async function beginCounting(tx: Tx, owner: Owner, meter: MeterWindow, books: Books): Promise<void> {
  if (owner.scope === 'user' && isEach(owner)) await countUsers(tx, owner, [meter], books);
  else if (owner.scope === 'token' && isEach(owner)) await countTokens(tx, owner, meter, books);
  else await ensureWindows(tx, owner, [meter], books);
}

/** Tokens are few, and made by administrators: each that has used something is counted by itself. */
async function countTokens(tx: Tx, { tenantId, scope }: Owner, meter: MeterWindow, books: Books): Promise<void> {
  const firsts = await tx.query<{ id: string }>(
    'SELECT id FROM tokens WHERE tenant_id = $1 AND lineage IS NULL ORDER BY id',
    [tenantId],
  );
  const owners = firsts.map(({ id }): Owner => ({ tenantId, scope, target: id }));
  const used = await books.ledger.used(tx, owners, meter.window);
  for (const [index, owner] of owners.entries())
    if ((used[index] ?? NOTHING)[meter.metric] !== 0n) await ensureWindows(tx, owner, [meter], books);
}

async function spentSoFar(tx: Tx, owner: Owner, { metric, window }: MeterWindow, books: Books): Promise<bigint> {
  // From here on nobody books: what the ledger has now is counted here, and what comes later by whoever books it.
  await books.ledger.pauseBooking(tx);
  const [used = NOTHING] = await books.ledger.used(tx, [owner], window);
  return used[metric];
}

/**
 * In the period in which a budget of each was set, makes windows for all end users of the tenant who have used something and have none.
 * The ledger is read from where it was read to before, so that in all it is read once, however many come; one after the other comes here.
 * @returns of which of these all have one now; not where there is no such budget, nor where there are too many of them
 */
async function countUsers(
  tx: Tx,
  { tenantId, scope }: Owner,
  meters: readonly MeterWindow[],
  books: Books,
): Promise<ReadonlySet<MeterWindow>> {
  const each = { tenantId, scope, target: EACH };
  const budgets = await tx.query<Meter & BudgetOfEach>(
    `SELECT id, metric, period, created_at AS since, counted_from AS "countedFrom", counted_to AS "countedTo"
     FROM budgets b WHERE ${isOf(each, 'b')} AND (scope, target) = ($2, $3) ORDER BY id FOR UPDATE`,
    fieldsOf(each),
  );
  const wanted = meters.flatMap((meter) => {
    const budget = budgets.find(({ metric, period }) => metric === meter.metric && period === meter.period);
    return budget ? [{ meter, budget }] : [];
  });
  const counted = new Set<MeterWindow>();
  for (const { meter, budget } of wanted) if (isAllCounted(meter, budget.since)) counted.add(meter);
  const open = wanted.filter(({ meter }) => !counted.has(meter));
  for (const { period, window } of new Map(open.map(({ meter }) => [meter.period, meter])).values()) {
    const ofPeriod = open.filter(({ meter }) => meter.period === period);
    // Whoever has no window has used nothing up to where its budget was read to, so the earliest of these serves all.
    const after = earliest(ofPeriod.map(({ budget }) => countedUpTo(budget, window)));
    const { users, countedTo } = await books.ledger.usedByUsers(tx, tenantId as string, window, after);
    for (const { meter, budget } of ofPeriod) {
      const { ids, left } = await insertWindowsOf(tx, each, meter, users);
      await books.notices.reached(tx, books.ledger, ids);
      if (left > 0) continue;
      await tx.query('UPDATE budgets SET counted_from = $2, counted_to = $3 WHERE id = $1', [
        budget.id,
        new Date(window.startsAtMs),
        countedTo,
      ]);
      counted.add(meter);
    }
  }
  return counted;
}

interface BudgetOfEach {
  readonly id: string;
  readonly since: Date;
  /** When the period begins in which the ledger was read for it last, and how far; `null` for never. */
  readonly countedFrom: Date | null;
  readonly countedTo: Date | null;
}

/** How far the ledger was read for a budget in a period; `null` for not at all. */
const countedUpTo = ({ countedFrom, countedTo }: BudgetOfEach, { startsAtMs }: Window): Date | null =>
  countedFrom?.getTime() === startsAtMs ? countedTo : null;

const earliest = (instants: readonly (Date | null)[]): Date | null =>
  instants.reduce((first, next) => (first === null || next === null ? null : next < first ? next : first));

/** @returns the new windows, and how many could not be made because there are too many already */
async function insertWindowsOf(
  tx: Tx,
  each: Owner,
  { metric, period, window }: MeterWindow,
  users: UsedByUsers['users'],
): Promise<{ ids: bigint[]; left: number }> {
  const [told] = await tx.query<{ ids: string[] | null; wanted: bigint }>(
    `WITH m AS (SELECT $4::text AS metric, $5::text AS period, $6::timestamptz AS starts_at),
     known AS (SELECT count(*) AS count FROM budget_windows w, m
       WHERE ${isOf(each)} AND (w.scope, w.metric, w.period, w.starts_at) = ($2, m.metric, m.period, m.starts_at) AND w.target <> $3),
     wanted AS (SELECT u.target, greatest(0, u.spent) AS spent, l.amount FROM m, unnest($8::text[], $9::bigint[]) AS u(target, spent)
         CROSS JOIN LATERAL (SELECT ${limitOf(each, 'm', 'u.target')} AS amount) l
       WHERE NOT EXISTS (SELECT FROM budget_windows w WHERE ${isOf(each)}
         AND (w.metric, w.period, w.scope, w.target, w.starts_at) = (m.metric, m.period, $2, u.target, m.starts_at))),
     made AS (INSERT INTO budget_windows (tenant_id, scope, target, metric, period, starts_at, ends_at, limit_amount, ceiling, spent)
       SELECT $1, $2, target, metric, period, starts_at, $7, amount, CASE WHEN amount IS NOT NULL THEN greatest(amount, spent) END, spent
       FROM wanted, m ORDER BY spent DESC, target LIMIT (SELECT greatest(0, $10 - count) FROM known) RETURNING id)
     SELECT array_agg(id) AS ids, (SELECT count(*) FROM wanted) AS wanted FROM made`,
    [
      ...fieldsOf(each),
      metric,
      period,
      new Date(window.startsAtMs),
      new Date(window.endsAtMs),
      [...users.keys()],
      [...users.values()].map((used) => String(used[metric])),
      // One place is for whoever calls now.
      MOST_END_USERS - 1,
    ],
  );
  const ids = (told?.ids ?? []).map(BigInt);
  return { ids, left: Number(told?.wanted ?? 0) - ids.length };
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

const isAllCounted = ({ window }: MeterWindow, budgetSince: Date): boolean =>
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
