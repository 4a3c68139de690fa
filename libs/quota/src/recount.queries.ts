import type { Tx } from '@app/platform';
import type { Amounts } from './amounts';
import { bigints } from './bigints';
import type { Books } from './books';
import { type Attributed, callOf } from './scopes/attribution';
import { lineagesOf } from './scopes/lineages.queries';
import { KnownWindows } from './scopes/known-windows';
import { EACH } from './scopes/scope';
import { lockChargedWindows } from './settlements.queries';
import { ceilingOf } from './windows.queries';

/** How much more, or less, a booked call has used than was counted. */
export interface UsedChange extends Attributed {
  /** When its hold was made. */
  readonly at: Date;
  readonly tenantId: string;
  readonly used: Amounts;
}

/**
 * Counts changes in the windows that the calls count in, as far as these are there. What is spent falls, though never
 * below nothing, or rises: that somebody has decided so is no reason to refuse it, and no lease has to cover it. Thresholds that
 * windows under way reach by it are told.
 */
export async function recount(tx: Tx, { ledger, notices }: Books, changes: readonly UsedChange[]): Promise<void> {
  if (changes.length === 0) return;
  const lineageOf = await lineagesOf(
    tx,
    changes.map(({ tokenId }) => tokenId),
  );
  const rows = changes.map(({ at, tenantId, used, ...attributed }) => ({
    atMs: at.getTime(),
    lastMs: at.getTime(),
    used,
    call: callOf(tenantId, attributed, lineageOf(attributed.tokenId)),
    windowIds: [],
  }));
  const charges = (await lockChargedWindows(tx, rows, new KnownWindows())).charge(rows);
  const counted = await tx.query<{ id: bigint; hasRisen: boolean }>(
    `UPDATE budget_windows w SET spent = greatest(0, w.spent + c.used),
       ceiling = ${ceilingOf('greatest(0, w.spent + c.used)', 'w.leased')}
     FROM unnest($1::bigint[], $2::bigint[]) AS c(window_id, used) WHERE w.id = c.window_id
     RETURNING w.id, c.used > 0 AND w.ends_at > now() AS "hasRisen"`,
    [bigints(charges.map(({ windowId }) => windowId)), bigints(charges.map(({ used }) => used))],
  );
  await notices.reached(
    tx,
    ledger,
    counted.flatMap(({ id, hasRisen }) => (hasRisen ? [id] : [])),
  );
  for (const tenantId of new Set(changes.map(({ tenantId: id }) => id))) tx.announce('budget', tenantId);
  // Perhaps the organisation's budget waited for it.
  tx.announce('budget', EACH);
}
