import { monthAfter } from '../statements/statement';

/**
 * A month of the ledger (UTC): `open` until all its statements are closed, then `closed`, `exported` when the gateway's statements
 * of it have left the gateway, `detachable` when it is old enough too, and `detached` when its rows are no longer in the ledger.
 */
export type LedgerMonthState = 'open' | 'closed' | 'exported' | 'detachable' | 'detached';

export interface LedgerMonthFacts {
  readonly from: Date;
  readonly to: Date;
  /** Whether it has rows in the ledger; if not, they are archived. */
  readonly attached: boolean;
  /** When the last of its rows was booked, as far as they are summed up; `null` if there is none. */
  readonly lastBookedAt: Date | null;
}

/** The newest statement of a tenant, or of the whole gateway. */
export interface ChainEnd {
  readonly tenant: string | null;
  readonly month: string;
  readonly to: Date;
  readonly asOf: Date;
}

/** A statement of the whole gateway that has not been exported. */
export interface UnexportedStatement {
  readonly id: string;
  readonly from: Date;
  readonly to: Date;
  readonly lateAfter: Date | null;
}

export interface RetentionFacts {
  readonly now: Date;
  readonly retainMonths: number | null;
  readonly chains: readonly ChainEnd[];
  /** Oldest first. */
  readonly unexported: readonly UnexportedStatement[];
}

/** What a month may be done with, and why no more. */
export function stateOf(
  month: LedgerMonthFacts,
  facts: RetentionFacts,
): { readonly state: LedgerMonthState; readonly because: string | null } {
  if (!month.attached) return { state: 'detached', because: null };
  const open = whyOpen(month, facts.chains);
  if (open !== null) return { state: 'open', because: open };
  const missing = facts.unexported.find((statement) => hasRowsOf(statement, month));
  if (missing)
    return { state: 'closed', because: `statement ${missing.id} has not been downloaded whole or delivered` };
  const kept = whyKept(month, facts);
  return kept === null ? { state: 'detachable', because: null } : { state: 'exported', because: kept };
}

function whyOpen({ to, lastBookedAt }: LedgerMonthFacts, chains: readonly ChainEnd[]): string | null {
  if (!chains.some(({ tenant }) => tenant === null)) return 'no statement of the whole gateway is closed';
  const behind = chains.find((end) => end.to < to || (lastBookedAt !== null && end.asOf < lastBookedAt));
  if (!behind) return null;
  const whose = behind.tenant === null ? 'the whole gateway' : `tenant ${behind.tenant}`;
  const why = behind.to < to ? '' : ', which has rows that came late,';
  return `the statement ${monthAfter(behind.month)} of ${whose}${why} is not closed`;
}

/** Its own calls, or late ones: rows of the month that were booked after the statement before. */
function hasRowsOf(statement: UnexportedStatement, { from, to, lastBookedAt }: LedgerMonthFacts): boolean {
  if (statement.from < to && statement.to > from) return true;
  const { lateAfter } = statement;
  return statement.from > from && lateAfter !== null && lastBookedAt !== null && lateAfter < lastBookedAt;
}

function whyKept({ from }: LedgerMonthFacts, { now, retainMonths }: RetentionFacts): string | null {
  if (retainMonths === null) return 'ledger.retainMonths keeps all months';
  const age = (now.getUTCFullYear() - from.getUTCFullYear()) * 12 + now.getUTCMonth() - from.getUTCMonth();
  return age > retainMonths ? null : `ledger.retainMonths keeps ${retainMonths} months before the one under way`;
}
