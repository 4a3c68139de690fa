import { type Clock, CodedError, type Principal, uuid7 } from '@app/platform';
import type { GatewayProcess } from './gateway-process.service';
import { type Hold, type HoldDesk, makeHold, type Settlement } from './hold';
import type { Journal } from './journal';
import { type Charge, heldLine, releasedLine, settledLine } from './journal-line';
import type { Leases } from './leases.service';
import { PendingRow } from './pending-row';
import type { Settlements } from './settlements.service';
import type { LeaseSet } from './window-lease';

/** The part of a quote that budgets are about. */
export interface Reservable {
  /** The most the request can cost, in nano-units of the rate card's currency. */
  readonly costNanos: bigint;
}

/** Sets budget aside for requests, and takes it back when they end. */
export class Holds implements HoldDesk {
  #open = 0;
  #heldNanos = 0n;
  #draining = false;

  constructor(
    private readonly process: GatewayProcess,
    private readonly leases: Leases,
    private readonly journal: Journal,
    private readonly settlements: Settlements,
    private readonly clock: Clock,
  ) {}

  /**
   * Sets budget aside for one request. It is in the journal when this resolves, so it outlives the process.
   * @param draft what an unconfirmed ledger row would need, as plain JSON
   * @param id of the hold and its ledger row, 32 hex digits of a UUID version 7; used once
   * @throws CodedError `budget_exceeded`, `journal_unavailable`, `database_unavailable`, `draining`
   */
  async reserve(principal: Principal, quote: Reservable, draft: unknown, id = uuid7()): Promise<Hold> {
    const { tenantId } = principal;
    const { costNanos } = quote;
    if (tenantId === null) throw new TypeError('only a tenant has a budget to reserve from');
    if (costNanos < 0n) throw new TypeError(`a request cannot cost ${costNanos}`);
    this.refuseWhatCannotBeBilled();
    const account = this.leases.account(tenantId);
    const atMs = this.clock.now().getTime();
    const leases = account.take(costNanos, atMs);
    if (leases) return this.note(id, tenantId, leases, atMs, costNanos, draft);
    const taken = await this.leases.obtain(account, costNanos);
    return this.note(id, tenantId, taken.leases, taken.atMs, costNanos, draft);
  }

  settle(hold: Hold, { costNanos, row }: Settlement): Promise<void> {
    const noted = this.journal.report(settledLine(chargeOf(hold, costNanos), row));
    this.end(hold, costNanos);
    const pending = new PendingRow(hold, costNanos, row);
    this.settlements.add(pending);
    // Not in the journal: then it is safe as soon as it is in the database, or in the journal after all.
    return noted.catch(() => Promise.race([this.journal.settledUp(), pending.arrival()]));
  }

  release(hold: Hold): void {
    this.end(hold, 0n);
    const unpin = (): void => this.journal.unpin(hold);
    void this.journal.report(releasedLine(hold.id)).then(unpin, () => this.journal.settledUp().then(unpin));
  }

  /** Makes no more holds; those that are open end as ever. */
  drain(): void {
    this.#draining = true;
  }

  get facts(): { readonly open: number; readonly heldNanos: bigint } {
    return { open: this.#open, heldNanos: this.#heldNanos };
  }

  private refuseWhatCannotBeBilled(): void {
    if (this.#draining) throw new CodedError('draining', undefined, { headers: SOON });
    if (this.process.fenced) throw this.process.fence();
    if (!this.journal.writable) throw new CodedError('journal_unavailable', undefined, { headers: SOON });
    if (this.settlements.full)
      throw new CodedError('database_unavailable', 'Too much finished work waits for the database.', { headers: SOON });
  }

  private async note(
    id: string,
    tenantId: string,
    leases: LeaseSet,
    atMs: number,
    amountNanos: bigint,
    draft: unknown,
  ): Promise<Hold> {
    const hold = makeHold(id, tenantId, atMs, amountNanos, leases, this);
    this.#open++;
    this.#heldNanos += amountNanos;
    try {
      await this.journal.hold(heldLine(chargeOf(hold, amountNanos), draft), hold);
      return hold;
    } catch (error) {
      this.end(hold, 0n);
      throw error;
    }
  }

  private end(hold: Hold, costNanos: bigint): void {
    this.#open--;
    this.#heldNanos -= hold.amountNanos;
    hold.leases.putBack(hold.amountNanos - costNanos);
  }
}

const SOON = { 'retry-after': '1' };

const chargeOf = ({ id, atMs, tenantId, leases }: Hold, nanos: bigint): Charge => ({
  id,
  atMs,
  tenantId,
  windows: leases.ids,
  nanos,
});
