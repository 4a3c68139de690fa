import { Injectable } from '@nestjs/common';
import { uuid7, type Tx } from '@app/platform';
import { totalTokens } from '../pricing/token-counts';
import type { BudgetBooks, UsageChange } from './budget-books';
import { difference, idTimeOf, isNothing, type Difference, type Repriced } from './correction';
import { insertCorrections, type CorrectableRow } from './corrections.queries';

/** A row and how it is to be billed from now on. */
export interface Booking {
  readonly row: CorrectableRow;
  readonly after: Repriced;
  /** At most 200 characters. */
  readonly reason: string;
}

/** A correction that was booked. */
export interface Booked extends Booking {
  /** 32 hex digits, the correction's own. */
  readonly id: string;
  readonly difference: Difference;
}

/**
 * Books corrections: as rows of the ledger beside the ones they correct, and as a change of what is spent in every budget
 * window those count in. To be called in a transaction that holds the lock of `lockCorrections` and read the rows under it.
 */
@Injectable()
export class CorrectionBooking {
  #budgets: BudgetBooks | null = null;
  #connect: () => void = () => undefined;
  /** Resolves when the budgets are connected. */
  readonly connected = new Promise<void>((resolve) => (this.#connect = resolve));

  get isConnected(): boolean {
    return this.#budgets !== null;
  }

  /** Connects the budgets; once, before the first correction. */
  budgets(budgets: BudgetBooks): void {
    if (this.#budgets) throw new TypeError('the budgets are connected already');
    this.#budgets = budgets;
    this.#connect();
  }

  /** Also such as differ in nothing: they say that somebody has looked. */
  async book(tx: Tx, bookings: readonly Booking[]): Promise<Booked[]> {
    if (!this.#budgets) throw new TypeError('no budgets are connected: call budgets() first');
    if (bookings.length === 0) return [];
    const booked = bookings.map((booking) => ({
      ...booking,
      id: uuid7(idTimeOf(booking.row.at, booking.row.corrections + 1)),
      difference: difference(booking.row, booking.after),
    }));
    await insertCorrections(
      tx,
      booked.map(({ id, row, after: { rateCard, formula }, difference: changed, reason }) => ({
        ...changed,
        id,
        corrects: row,
        rateCard,
        formula,
        reason,
      })),
    );
    await this.#budgets.recount(tx, booked.filter((each) => !isNothing(each.difference)).map(changeOf));
    return booked;
  }
}

const changeOf = ({ row, difference: { costNanos, counts } }: Booked): UsageChange => ({
  at: row.at,
  tenantId: row.tenantId,
  tokenId: row.tokenId,
  subject: row.subject,
  endUser: row.endUser,
  model: row.model,
  costNanos,
  tokens: BigInt(totalTokens(counts)),
});
