import {
  rowFromJson,
  totalTokens,
  unconfirmedRow,
  type Ledger,
  type LedgerDraft,
  type LedgerRow,
  type Usage,
  type UsedBy,
} from '@app/billing';
import type { Tx } from '@app/platform';
import type { Amounts, LedgerSink, OpenHold, Owner, SettledRow, Unconfirmed, Window } from '@app/quota';

/** A ledger row without what the hold itself knows. */
type Entry = Omit<LedgerRow, 'id' | 'at' | 'costNanos'>;

export function settledEntry(
  draft: LedgerDraft,
  ending: Pick<Entry, 'status' | 'outcome' | 'providerRequestId' | 'reason'> & Usage,
): Entry {
  const { worst: _, ...known } = draft;
  return { ...known, ...ending };
}

/** Hands what the holds settle to the ledger: quota and billing are siblings and know nothing of each other. */
export class LedgerBridge implements LedgerSink {
  constructor(private readonly ledger: Ledger) {}

  append(tx: Tx, rows: readonly SettledRow[]): Promise<readonly string[]> {
    return this.ledger.append(tx, rows.map(rowOf));
  }

  unconfirmed(draft: unknown, hold: OpenHold): Unconfirmed {
    const { id: _, at: __, costNanos: ___, ...row } = unconfirmedRow(draft as LedgerDraft, hold);
    return { row, tokens: totalTokens(row.counts) };
  }

  pauseBooking(tx: Tx): Promise<void> {
    return this.ledger.pauseBooking(tx);
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

/** The entry may have come back from a journal, so it is checked like one. */
const rowOf = ({ row, id, at, costNanos }: SettledRow): LedgerRow =>
  rowFromJson({ ...(row as Entry), id, at: at.toISOString(), costNanos: String(costNanos) });
