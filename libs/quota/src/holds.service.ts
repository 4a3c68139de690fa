import type { Principal } from '@app/platform';
import type { Hold } from './hold';

/** The part of a quote that budgets are about. */
export interface Reservable {
  /** The most the request can cost, in nano-units of the rate card's currency. */
  readonly costNanos: bigint;
}

export abstract class Holds {
  /**
   * Sets budget aside for one request. It is in the journal when this resolves, so it outlives the process.
   * @param draft what an unconfirmed ledger row would need, as plain JSON
   * @throws CodedError `budget_exceeded`, `journal_unavailable`, `database_unavailable`, `draining`
   */
  abstract reserve(principal: Principal, quote: Reservable, draft: unknown): Promise<Hold>;
}
