import type { Tx } from '@app/platform';
import { TOKEN_COLUMNS } from './ledger.queries';

/** Whose calls are meant; of a field that is left out, everybody's. */
export interface UsedBy {
  readonly tenantId?: string;
  /** Public name, or a pattern of names. */
  readonly model?: string;
  readonly tokenId?: string;
  /** The person behind the call, or else whom the caller said it acts for. */
  readonly user?: string;
}

export interface Used {
  readonly costNanos: bigint;
  readonly tokens: bigint;
}

/**
 * What calls made from one instant up to another have used, corrections included: cost in nano-units, and tokens of all
 * classes.
 */
export async function sumUsed(
  tx: Tx,
  { tenantId, model, tokenId, user }: UsedBy,
  from: Date,
  until: Date,
): Promise<Used> {
  const params: unknown[] = [from, until];
  const conditions = [`at >= $1`, `at < $2`];
  const where = (condition: (value: string) => string, value: string | undefined): void => {
    if (value !== undefined) conditions.push(condition(`$${params.push(value)}`));
  };
  where((tenant) => `tenant_id = ${tenant}`, tenantId);
  where((token) => `token_id = ${token}`, tokenId);
  where((name) => `coalesce(subject, end_user) = ${name}`, user);
  if (model?.endsWith('*')) where((prefix) => `starts_with(model, ${prefix})`, model.slice(0, -1));
  else where((name) => `model = ${name}`, model);
  const [used] = await tx.query<Used>(
    `SELECT coalesce(sum(cost_nanos), 0)::bigint AS "costNanos", coalesce(sum(${TOKEN_COLUMNS.join(' + ')}), 0)::bigint AS tokens
     FROM ledger WHERE ${conditions.join(' AND ')}`,
    params,
  );
  return used as Used;
}

/** Waits for whoever is booking, and keeps others from it until the transaction ends. */
export const pauseBooking = (tx: Tx): Promise<unknown> => tx.query('SELECT ledger_booked_up_to()');
