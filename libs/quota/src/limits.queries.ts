import { EACH, type Owner } from './scopes/scope';
import type { MeterWindow } from './windows';

/** SQL for the rows of an owner whose tenant is `$1`; `w` or whatever they are called. */
export const isOf = ({ tenantId }: Pick<Owner, 'tenantId'>, table = 'w'): string =>
  tenantId === null ? `$1::text IS NULL AND ${table}.tenant_id IS NULL` : `${table}.tenant_id = $1`;

/** SQL for whether `b` is a target's own budget, or the one that each has; of tenant `$1`, scope `$2`. */
export const isMeant = (owner: Owner, meter: string, target: string): string =>
  `${isOf(owner, 'b')} AND b.scope = $2 AND b.metric = ${meter}.metric AND b.period = ${meter}.period
     AND b.target IN (${target}, ${owner.scope === 'token' || owner.scope === 'user' ? `'${EACH}'` : target})`;

/** SQL for the limit of a target's own budget, or else of the one that each has. */
export const limitOf = (owner: Owner, meter: string, target: string): string =>
  `(SELECT b.limit_amount FROM budgets b WHERE ${isMeant(owner, meter, target)} ORDER BY b.target = ${target} DESC LIMIT 1)`;

/** As `$1`, `$2` and `$3`. */
export const fieldsOf = ({ tenantId, scope, target }: Owner): unknown[] => [tenantId, scope, target];

/** The same of their windows: metric, period and beginning. */
export const columnsOf = (meters: readonly MeterWindow[]): unknown[] => [
  meters.map(({ metric }) => metric),
  meters.map(({ period }) => period),
  meters.map(({ window }) => new Date(window.startsAtMs)),
];
