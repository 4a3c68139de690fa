import type { Tx } from '@app/platform';
import { TOKEN_COLUMNS } from '../ledger/ledger.queries';
import { EVER, rolledUp, rowByRow, sumUp } from './lines';

/** Whose calls are meant; of a field that is left out, everybody's. */
export interface UsedBy {
  readonly tenantId?: string;
  /** Public name, or a pattern of names. */
  readonly model?: string;
  /** Calls with this token, and with all that came of it by rotation. */
  readonly lineage?: string;
  /** The person behind the call, or else whom the caller said it acts for. */
  readonly user?: string;
}

export interface Used {
  readonly costNanos: bigint;
  readonly tokens: bigint;
}

/**
 * What calls made from one instant up to another have used, corrections included: cost in nano-units, and tokens of all
 * classes. Users are not told apart in the roll-up, so theirs are summed row by row.
 */
export async function sumUsed(tx: Tx, { tenantId, model, lineage, user }: UsedBy, from: Date, to: Date): Promise<Used> {
  const selection = { from, to, tenant: tenantId ?? null, asOf: EVER };
  const lines = user === undefined ? await rolledUp(tx, selection) : rowByRow(tx, selection);
  const wanted: readonly (readonly [string | undefined, (value: string) => string])[] = [
    [lineage, (first) => `(l.token_id = ${first} OR l.token_id IN (SELECT id FROM tokens WHERE lineage = ${first}))`],
    [user, (name) => `coalesce(l.subject, l.end_user) = ${name}`],
    model?.endsWith('*')
      ? [model.slice(0, -1), (prefix) => `starts_with(l.model, ${prefix})`]
      : [model, (name) => `l.model = ${name}`],
  ];
  const found = wanted.flatMap(([value, condition]) => (value === undefined ? [] : [{ value, condition }]));
  const [used] = await sumUp<Used>(
    tx,
    lines,
    (sql, next) => `
      SELECT coalesce(sum(l.cost_nanos), 0)::bigint AS "costNanos",
        coalesce(sum(${TOKEN_COLUMNS.map((column) => `l.${column}`).join(' + ')}), 0)::bigint AS tokens
      FROM ${sql} WHERE ${['true', ...found.map(({ condition }, index) => condition(`$${next + index}`))].join(' AND ')}`,
    found.map(({ value }) => value),
  );
  return used as Used;
}

/** Waits for whoever is booking, and keeps others from it until the transaction ends. */
export const pauseBooking = (tx: Tx): Promise<unknown> => tx.query('SELECT ledger_booked_up_to()');
