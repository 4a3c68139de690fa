import { type Amounts, isWithin, NOTHING } from './amounts';
import type { Entry } from './ledger-sink';
import type { Attribution } from './scopes/attribution';
import type { Call } from './scopes/scope';
import type { LeaseSet } from './window-lease';

/** What ends a hold: what the request used, and its ledger row. */
export interface Settlement {
  readonly costNanos: bigint;
  /** Of all classes together. */
  readonly tokens: number;
  readonly row: Entry;
}

/** Where holds are handed in when they end. */
export interface HoldDesk {
  /** Throws only before anything is changed. */
  settle(hold: Hold, used: Amounts, row: Entry): Promise<void>;
  release(hold: Hold): void;
  /** Frees what was taken from budgets in which such calls do not count; returns what is left. */
  narrow(hold: Hold, attribution: Attribution): LeaseSet;
}

const CLOSED = Symbol('closed');
const door = Symbol('only Holds makes holds');

/**
 * Budget set aside for one request, and the ticket without which no provider can be reached. It ends exactly once:
 * settled at what the request cost, or released if nothing reached a provider. A process that dies leaves its open holds
 * in the journal, and whoever finds that settles them as unconfirmed.
 */
export class Hold {
  /** 32 hex digits of a UUID version 7; also the id of the ledger row. */
  readonly id: string;
  #attribution: Attribution;
  #call: Call;
  /** When it was made, in ms since the epoch. Decides the windows, and is the time of the ledger row. */
  readonly atMs: number;
  readonly amount: Amounts;
  #leases: LeaseSet;
  /** Which segment of the journal must stay until this hold's row is in the database. */
  segment = 0;
  #desk: HoldDesk | typeof CLOSED;

  constructor(
    key: typeof door,
    id: string,
    attribution: Attribution,
    call: Call,
    atMs: number,
    amount: Amounts,
    leases: LeaseSet,
    desk: HoldDesk,
  ) {
    if (key !== door) throw new TypeError('a Hold comes from Holds.reserve');
    this.id = id;
    this.#attribution = attribution;
    this.#call = call;
    this.atMs = atMs;
    this.amount = amount;
    this.#leases = leases;
    this.#desk = desk;
  }

  /** Decides whose budgets it counts in. */
  get attribution(): Attribution {
    return this.#attribution;
  }

  /** Where the amount was taken from; the rest of it goes back there. */
  get leases(): LeaseSet {
    return this.#leases;
  }

  get call(): Call {
    return this.#call;
  }

  get tenantId(): string {
    return this.#attribution.tenantId;
  }

  get at(): Date {
    return new Date(this.atMs);
  }

  get closed(): boolean {
    return this.#desk === CLOSED;
  }

  /**
   * It is known which of the attributions it was drafted with is the right one: it counts in no other budgets any more, and
   * its row is that one's. Before it is settled. @throws TypeError if it has ended already
   */
  attributeTo(attribution: Attribution): void {
    const desk = this.desk();
    this.#leases = desk.narrow(this, attribution);
    this.#attribution = attribution;
    this.#call = attribution.call;
  }

  /**
   * Ends the hold at what the request used. Resolves when the settlement would survive the end of this process; only then may
   * the last byte of the answer leave. The row follows to the database behind the answer.
   * @throws TypeError if the hold has ended already, or if cost or tokens are negative or above the hold (the caller caps
   *   and quarantines); after that the hold is still open
   */
  settle({ costNanos, tokens, row }: Settlement): Promise<void> {
    const used: Amounts = { cost: costNanos, tokens: BigInt(tokens) };
    if (!isWithin(NOTHING, used) || !isWithin(used, this.amount))
      throw new TypeError(
        `hold ${this.id} of ${this.amount.cost} nanos and ${this.amount.tokens} tokens cannot be settled at ` +
          `${costNanos} and ${tokens}`,
      );
    const desk = this.desk();
    if (this.#call.otherModels !== undefined) this.attributeTo(this.#attribution);
    const noted = desk.settle(this, used, row);
    this.#desk = CLOSED;
    return noted;
  }

  /** Ends the hold without a row: nothing of the request reached a provider. @throws TypeError if it has ended already */
  release(): void {
    const desk = this.desk();
    this.#desk = CLOSED;
    desk.release(this);
  }

  private desk(): HoldDesk {
    if (this.#desk === CLOSED) throw new TypeError(`hold ${this.id} has ended already`);
    return this.#desk;
  }
}

/** For `Holds` alone; not part of the lib's door. */
export const makeHold = (
  id: string,
  attribution: Attribution,
  call: Call,
  atMs: number,
  amount: Amounts,
  leases: LeaseSet,
  desk: HoldDesk,
): Hold => new Hold(door, id, attribution, call, atMs, amount, leases, desk);
