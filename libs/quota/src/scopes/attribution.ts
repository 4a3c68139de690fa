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
  readonly call: Call;
  /** The facts. */
  readonly json: string;

  /** @param facts what rows have in common, as plain JSON */
  constructor(
    readonly tenantId: string,
    readonly facts: Facts,
  ) {
    this.call = callOf(tenantId, facts);
    this.json = JSON.stringify(facts);
  }
}

export const callOf = (tenantId: string, { tokenId, model, subject, endUser }: Attributed): Call => ({
  tenantId,
  tokenId,
  model,
  user: subject ?? endUser ?? null,
});
