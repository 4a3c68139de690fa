import { type Clock, CodedError, type Principal, uuid7 } from '@app/platform';
import { type Amounts, NOTHING } from './amounts';
import type { BudgetExceeded } from './budget-exceeded';
import type { GatewayProcess } from './gateway-process.service';
import { type Hold, type HoldDesk, makeHold } from './hold';
import type { Journal } from './journal';
import { type Charge, settledLine } from './journal-line';
import type { Draft, Entry } from './ledger-sink';
import type { Leases } from './leases.service';
import type { Caller } from './pool';
import type { Attribution } from './scopes/attribution';
import type { Call } from './scopes/scope';
import type { Settlements } from './settlements.service';
import { LeaseSet, NO_LEASES } from './window-lease';

/** The part of a quote that budgets are about. */
export interface Reservable {
  /** The most the request can cost, in nano-units of the rate card's currency. */
  readonly costNanos: bigint;
  /** The most tokens it can use, of all classes together. */
  readonly tokens: number;
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
   * @param draft what an unconfirmed ledger row would need; says too in whose budgets the request counts
   * @param id of the hold and its ledger row, 32 hex digits of a UUID version 7; used once
   * @param mayWait for headroom that is only held; without it a refusal comes at once
   * @param caller whose end ends the wait at once
   * @throws BudgetExceeded, what ended the caller
   * @throws CodedError `journal_unavailable`, `database_unavailable`, `draining`
   */
  reserve(
    principal: Principal,
    { costNanos, tokens }: Reservable,
    draft: Draft,
    id = uuid7(),
    mayWait = true,
    caller: Caller | null = null,
  ): Promise<Hold> {
    try {
      const { attribution, others } = draft;
      if (principal.tenantId === null || principal.tenantId !== attribution.tenantId)
        throw new TypeError('only a tenant has a budget to reserve from, and only its own');
      if (costNanos < 0n || tokens < 0)
        throw new TypeError(`a request cannot use ${costNanos} nanos and ${tokens} tokens`);
      this.refuseWhatCannotBeBilled();
      const worst: Amounts = { cost: costNanos, tokens: BigInt(tokens) };
      const call = others === undefined ? attribution.call : callOfAny(attribution, others);
      const atMs = this.clock.nowMs();
      // What uses nothing needs no room, so it is never in the way of a budget, nor a budget in its way.
      const leases = costNanos === 0n && tokens === 0 ? NO_LEASES : this.leases.take(call, worst, atMs);
      if (leases !== null) return this.note(makeHold(id, attribution, call, atMs, worst, leases, this), draft);
      return this.leases
        .obtain(call, worst, mayWait, caller)
        .then((taken) => this.note(makeHold(id, attribution, call, taken.atMs, worst, taken.leases, this), draft));
    } catch (error) {
      return failed(error as Error);
    }
  }

  /** Its caller is told so in the end: nothing smaller is tried. Receivers of webhooks hear of the first in a window. */
  refused({ windowId }: BudgetExceeded): void {
    const { ledger, notices } = this.settlements.books;
    notices.refused(ledger, windowId);
  }

  settle(hold: Hold, used: Amounts, row: Entry): Promise<void> {
    const line = settledLine(chargeOf(hold, used), this.settlements.ledger.textOf(row));
    const noted = this.journal.settle(hold.attribution, line);
    this.end(hold, used);
    this.settlements.add(line, hold, used);
    // Not in the journal: then it is safe as soon as it is in the database, or in the journal after all.
    return noted.catch(() => Promise.race([this.journal.settledUp(), this.settlements.arrival(hold.id)]));
  }

  release(hold: Hold): void {
    this.end(hold, NOTHING);
    const unpin = (): void => this.journal.unpin(hold.segment);
    void this.journal.release(hold.id).then(unpin, () => this.journal.settledUp().then(unpin));
  }

  narrow({ amount, call, leases }: Hold, attribution: Attribution): LeaseSet {
    const left = this.leases.of(attribution.call, leases);
    if (left !== leases) {
      new LeaseSet(leases.leases.filter((lease) => !left.leases.includes(lease))).putBack(amount, NOTHING);
      this.leases.cameBack(call);
    }
    return left;
  }

  /** Makes no more holds; those that are open end as ever. */
  drain(): void {
    this.#draining = true;
  }

  get facts(): { readonly open: number; readonly heldNanos: bigint } {
    return { open: this.#open, heldNanos: this.#heldNanos };
  }

  private note(hold: Hold, draft: Draft): Promise<Hold> {
    const { attribution, leases, amount } = hold;
    // Should nobody ever learn who answered, it counts where the drafted row does, and nowhere else.
    const counted = draft.others === undefined ? leases : this.leases.of(attribution.call, leases);
    this.#open++;
    this.#heldNanos += amount.cost;
    return this.journal.hold(chargeOf(hold, amount, counted), draft.toText(), hold).then(
      () => hold,
      (error: Error) => {
        this.end(hold, NOTHING);
        throw error;
      },
    );
  }

  private refuseWhatCannotBeBilled(): void {
    if (this.#draining) throw new CodedError('draining', undefined, { headers: SOON });
    const { fenced } = this.process;
    if (fenced) throw this.process.fence(fenced);
    if (!this.journal.writable) throw new CodedError('journal_unavailable', undefined, { headers: SOON });
    if (this.settlements.full)
      throw new CodedError('database_unavailable', 'Too much finished work waits for the database.', { headers: SOON });
  }

  private end(hold: Hold, used: Amounts): void {
    this.#open--;
    this.#heldNanos -= hold.amount.cost;
    hold.leases.putBack(hold.amount, used);
    this.leases.cameBack(hold.call);
  }
}

const failed = (error: Error): Promise<never> => Promise.reject(error);
const SOON = { 'retry-after': '1' };

/** A call that counts in the budgets of each model that may answer it. */
const callOfAny = ({ call }: Attribution, others: readonly Attribution[]): Call => ({
  ...call,
  otherModels: others.map((other) => other.call.model),
});

const chargeOf = ({ id, atMs, attribution, leases }: Hold, amount: Amounts, { ids } = leases): Charge => ({
  id,
  atMs,
  attribution,
  windows: ids,
  amount,
});
