import type { Tx } from '@app/platform';
import { refuseArchivedRows } from '../ledger/archives.queries';
import { TOKEN_COLUMNS } from '../ledger/ledger.queries';
import { parametersOf, pathTo, type Selection } from '../ledger/selection';
import { EVER, monthOf, rolledUp, rowByRow, sumUp } from './lines';
import { selectRollUp } from './roll-up.queries';

/** Whose calls are meant; of a field that is left out, everybody's. */
export interface UsedBy {
  readonly tenantId?: string;
  /** Public name, or a pattern of names. */
  readonly model?: string;
  /** Calls with this token, and with all that came of it by rotation. */
  readonly lineage?: string;
  /** The person behind the call, or else whom the caller said it acts for; beside nothing but the tenant. */
  readonly user?: string;
}

export interface Used {
  readonly costNanos: bigint;
  readonly tokens: bigint;
}

/** What the end users of a tenant have used. */
export interface UsedByUsers {
  readonly users: ReadonlyMap<string, Used>;
  /** All rows that were booked up to then were looked at, and whatever is booked from now on is booked later. */
  readonly countedTo: Date;
}

const USER = 'coalesce(l.subject, l.end_user)';
/** Few rows, to be found by when they were booked: all else is said in words that no index has, as in `rolledUp`. */
const BOOKED_AFTER = `l.booked_at > $5 AND l.at >= $6 AND l.at < $7 AND l.at + interval '0' >= $1 AND l.at + interval '0' < $2
  AND l.tenant_id || '' = $3 AND l.booked_at <= $4`;
const TOKENS = TOKEN_COLUMNS.map((column) => `l.${column}`).join(' + ');
const SUMS = `coalesce(sum(l.cost_nanos), 0)::bigint AS "costNanos", coalesce(sum(${TOKENS}), 0)::bigint AS tokens`;

/**
 * What calls made from one instant up to another have used, corrections included: cost in nano-units, and tokens of all
 * classes. Users are not told apart in the roll-up, so theirs are summed row by row, all those of a tenant in one reading. Tenants as a
 * whole are read together, too.
 * @returns what each of them has used, in their order
 */
export async function sumUsed(tx: Tx, all: readonly UsedBy[], from: Date, to: Date): Promise<Used[]> {
  const selection = { from, to, asOf: EVER };
  const ofUsers = new Map<string | undefined, ReadonlyMap<string, Used>>();
  const used: Used[] = [];
  const tenants = all.filter(isWhole).map(({ tenantId }) => tenantId as string);
  const ofTenants = tenants.length > 1 ? await sumOfTenants(tx, selection, tenants) : null;
  for (const by of all) {
    const of = { ...selection, tenant: by.tenantId ?? null };
    if (ofTenants && isWhole(by)) {
      used.push(ofTenants.get(by.tenantId as string) ?? NOTHING);
      continue;
    }
    if (by.user === undefined) {
      used.push(await sumOf(tx, by, of));
      continue;
    }
    const names = (): string[] =>
      all.flatMap(({ tenantId, user }) => (user !== undefined && tenantId === by.tenantId ? [user] : []));
    const users = ofUsers.get(by.tenantId) ?? (await sumOfUsers(tx, of, names()));
    ofUsers.set(by.tenantId, users);
    used.push(users.get(by.user) ?? NOTHING);
  }
  return used;
}

const NOTHING: Used = { costNanos: 0n, tokens: 0n };

const isWhole = ({ tenantId, model, lineage, user }: UsedBy): boolean =>
  tenantId !== undefined && model === undefined && lineage === undefined && user === undefined;

async function sumOfTenants(
  tx: Tx,
  selection: Omit<Selection, 'tenant'>,
  tenants: readonly string[],
): Promise<ReadonlyMap<string, Used>> {
  const rows = await sumUp<Used & { readonly tenant: string }>(
    tx,
    await rolledUp(tx, { ...selection, tenant: null }),
    (sql, next) =>
      `SELECT l.tenant_id AS tenant, ${SUMS} FROM ${sql} WHERE l.tenant_id = ANY ($${next}::text[]) GROUP BY 1`,
    [tenants],
  );
  return new Map(rows.map(({ tenant, ...used }) => [tenant, used]));
}

async function sumOf(tx: Tx, { model, lineage }: UsedBy, selection: Selection): Promise<Used> {
  const wanted: readonly (readonly [string | undefined, (value: string) => string])[] = [
    [lineage, (first) => `(l.token_id = ${first} OR l.token_id IN (SELECT id FROM tokens WHERE lineage = ${first}))`],
    model?.endsWith('*')
      ? [model.slice(0, -1), (prefix) => `starts_with(l.model, ${prefix})`]
      : [model, (name) => `l.model = ${name}`],
  ];
  const found = wanted.flatMap(([value, condition]) => (value === undefined ? [] : [{ value, condition }]));
  const [used] = await sumUp<Used>(
    tx,
    await rolledUp(tx, selection),
    (sql, next) =>
      `SELECT ${SUMS} FROM ${sql} WHERE ${['true', ...found.map(({ condition }, index) => condition(`$${next + index}`))].join(' AND ')}`,
    found.map(({ value }) => value),
  );
  return used as Used;
}

async function sumOfUsers(tx: Tx, selection: Selection, names: readonly string[]): Promise<ReadonlyMap<string, Used>> {
  const rows = await sumUp<Used & { readonly user: string }>(
    tx,
    rowByRow(tx, selection),
    (sql, next) => `SELECT ${USER} AS "user", ${SUMS} FROM ${sql} WHERE ${USER} = ANY ($${next}::text[]) GROUP BY 1`,
    [names],
  );
  return new Map(rows.map(({ user, ...used }) => [user, used]));
}

/**
 * The same of each end user of a tenant who has used anything. Keeps others from booking until the transaction ends, see `pauseBooking`;
 * what the roll-up has reached, to which nothing is added any more, is read before that.
 * @param after only what was booked later is read; `null` for everything
 */
export async function sumUsedByUsers(
  tx: Tx,
  tenantId: string,
  from: Date,
  to: Date,
  after: Date | null,
): Promise<UsedByUsers> {
  const selection = { from, to, tenant: tenantId, asOf: EVER };
  const before = after ?? (await selectRollUp(tx)).bookedUpTo;
  const early =
    after === null ? await readUsers(tx, { ...selection, asOf: before }, pathTo(tx, selection).selected) : [];
  await pauseBooking(tx);
  const months = [monthOf(from), monthOf(new Date(to.getTime() - 1), 1)];
  const late = await readUsers(tx, selection, BOOKED_AFTER, [before, ...months]);
  await refuseArchivedRows(tx, selection);
  const countedTo = late.reduce((last, row) => (row.last > last ? row.last : last), before);
  await tx.query('UPDATE ledger_roll_up SET counted_to = greatest(counted_to, $1)', [countedTo]);
  const sums = new Map<string, Used>();
  for (const { user, costNanos, tokens } of [...early, ...late]) {
    if (user === null) continue;
    const sum = sums.get(user);
    sums.set(user, { costNanos: costNanos + (sum?.costNanos ?? 0n), tokens: tokens + (sum?.tokens ?? 0n) });
  }
  return { users: sums, countedTo };
}

const readUsers = (
  tx: Tx,
  selection: Selection,
  condition: string,
  more: readonly Date[] = [],
): Promise<(Used & { readonly user: string | null; readonly last: Date })[]> =>
  tx.query(
    `SELECT ${USER} AS "user", sum(l.cost_nanos)::bigint AS "costNanos", sum(${TOKENS})::bigint AS tokens, max(l.booked_at) AS last
     FROM ledger l WHERE ${condition} GROUP BY 1`,
    [...parametersOf(selection), ...more],
  );

/** Waits for whoever is booking, and keeps others from it until the transaction ends. */
export const pauseBooking = (tx: Tx): Promise<unknown> => tx.query('SELECT ledger_booked_up_to()');
