import type { Tx } from '@app/platform';

/** Which rows of the ledger are meant: of calls from an instant up to but not including another. */
export interface Selection {
  readonly from: Date;
  readonly to: Date;
  /** `null` for all the reader may see. */
  readonly tenant: string | null;
  /** Rows booked later are left out, so that the same report can be made again. */
  readonly asOf: Date;
}

/** The condition for `l`, the ledger; its parameters come first in every statement. */
export const SELECTED = 'l.at >= $1 AND l.at < $2 AND ($3::text IS NULL OR l.tenant_id = $3) AND l.booked_at <= $4';

export const parametersOf = ({ from, to, tenant, asOf }: Selection): (string | null)[] => [
  from.toISOString(),
  to.toISOString(),
  tenant,
  asOf.toISOString(),
];

/**
 * The selected rows in the order of their calls, as a condition and an order in the words of the index that leads to them:
 * those of one tenant are found by its hours.
 */
export function pathTo(
  tx: Tx,
  { tenant }: Pick<Selection, 'tenant'>,
  direction: 'ASC' | 'DESC' = 'ASC',
): { readonly selected: string; readonly order: string } {
  const inOrder = (...columns: string[]): string => columns.map((column) => `${column} ${direction}`).join(', ');
  if ((tenant ?? tx.principal.tenantId) === null) return { selected: SELECTED, order: inOrder('l.at', 'l.id') };
  return {
    selected: `${SELECTED} AND l.hour > $1::timestamptz - interval '1 hour' AND l.hour < $2`,
    order: inOrder('l.hour', 'l.at', 'l.id'),
  };
}
