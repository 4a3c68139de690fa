import type { Call } from './scope';

/** What a ledger row, or its draft, says of in whose budgets it counts. */
export interface Attributed {
  readonly tokenId: string;
  readonly model: string;
  readonly subject?: string | null;
  readonly endUser?: string | null;
}

/**
 * Whom and what requests are attributed to: in whose budgets they count, and what their ledger rows have in common, which is written once
 * for all of them. Hand in the same object for as many requests as possible.
 */
export class Attribution<Facts extends Attributed = Attributed> {
  static #last = 0;
  readonly #number = ++Attribution.#last;
  readonly call: Call;
  /** The facts. */
  readonly json: string;

  /**
   * @param facts what rows have in common, as plain JSON
   * @param lineage of the token. It never changes and the database knows it, so no journal says it
   */
  constructor(
    readonly tenantId: string,
    readonly facts: Facts,
    lineage = facts.tokenId,
  ) {
    this.call = callOf(tenantId, facts, lineage);
    this.json = JSON.stringify(facts);
  }

  /** That of no other attribution of this process. */
  get number(): number {
    return this.#number;
  }
}

export const callOf = (tenantId: string, { model, subject, endUser }: Attributed, lineage: string): Call => ({
  tenantId,
  lineage,
  model,
  user: subject ?? endUser ?? null,
});
