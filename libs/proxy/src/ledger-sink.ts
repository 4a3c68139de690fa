import {
  entryJson,
  rowFromJson,
  totalTokens,
  unconfirmedRow,
  type Formula,
  type Ledger,
  type LedgerDraft,
  type LedgerOutcome,
  type LedgerRow,
  type LedgerRowJson,
  type LedgerStatus,
  type TokenCounts,
  type UsedBy,
} from '@app/billing';
import type { Tx } from '@app/platform';
import type { Amounts, Hold, LedgerSink, OpenHold, Owner, SettledRow, Unconfirmed, Window } from '@app/quota';
import type { Bill } from './bill';

/**
 * The ledger row of a call that has ended. What its hold knows, id, time and cost, is told by the hold alone: as JSON, the row is
 * without.
 */
export class SettledEntry implements LedgerRow {
  readonly tenantId: string;
  readonly tokenId: string;
  readonly subject: string | null;
  readonly endUser: string | null;
  readonly model: string;
  readonly provider: string;
  readonly rateCard: number;
  readonly formula: Formula;
  readonly status: LedgerStatus;
  readonly outcome: LedgerOutcome;
  readonly providerRequestId: string | null;
  readonly reason: string | null;
  readonly counts: TokenCounts;
  readonly webSearches: number;
  readonly serviceTier: string | null;
  readonly #hold: Pick<Hold, 'id' | 'at'>;
  readonly #costNanos: bigint;

  constructor(
    hold: Pick<Hold, 'id' | 'at'>,
    draft: LedgerDraft,
    bill: Bill,
    outcome: LedgerOutcome,
    providerRequestId: string | null,
  ) {
    this.tenantId = draft.tenantId;
    this.tokenId = draft.tokenId;
    this.subject = draft.subject;
    this.endUser = draft.endUser;
    this.model = draft.model;
    this.provider = draft.provider;
    this.rateCard = draft.rateCard;
    this.formula = draft.formula;
    this.status = bill.status;
    this.outcome = outcome;
    this.providerRequestId = providerRequestId;
    this.reason = bill.reason;
    this.counts = bill.counts;
    this.webSearches = bill.webSearches;
    this.serviceTier = bill.serviceTier;
    this.#hold = hold;
    this.#costNanos = bill.costNanos;
  }

  get id(): string {
    return this.#hold.id;
  }

  get at(): Date {
    return this.#hold.at;
  }

  get costNanos(): bigint {
    return this.#costNanos;
  }
}

/** Hands what the holds settle to the ledger: quota and billing are siblings and know nothing of each other. */
export class LedgerBridge implements LedgerSink {
  constructor(private readonly ledger: Ledger) {}

  append(tx: Tx, settled: readonly SettledRow[]): Promise<readonly string[]> {
    const rows = settled.map(rowOf);
    const json = settled.map((entry, index) => (entry.row === rows[index] ? entry.json : entryJson(rows[index]!)));
    return this.ledger.append(tx, rows, json);
  }

  unconfirmed(draft: unknown, hold: OpenHold): Unconfirmed {
    const { id: _, at: __, costNanos: ___, ...row } = unconfirmedRow(draft as LedgerDraft, hold);
    return { row, tokens: totalTokens(row.counts) };
  }

  pauseBooking(tx: Tx): Promise<void> {
    return this.ledger.pauseBooking(tx);
  }

  currency(at: Date): string | null {
    return this.ledger.currency(at);
  }

  async used(tx: Tx, owner: Owner, { startsAtMs, endsAtMs }: Window): Promise<Amounts> {
    const { costNanos, tokens } = await this.ledger.used(tx, usedBy(owner), new Date(startsAtMs), new Date(endsAtMs));
    return { cost: costNanos, tokens };
  }
}

function usedBy({ tenantId, scope, target }: Owner): UsedBy {
  const of = {
    model: { model: target },
    token: { tokenId: target },
    user: { user: target },
    tenant: {},
    organisation: {},
  };
  return { ...(tenantId === null ? {} : { tenantId }), ...of[scope] };
}

/** A row of a journal was written by another process, perhaps by an earlier version, so it is checked. */
const rowOf = ({ row, id, at, costNanos }: SettledRow): LedgerRow =>
  row instanceof SettledEntry
    ? row
    : rowFromJson({ ...(row as LedgerRowJson), id, at: at.toISOString(), costNanos: String(costNanos) });
