import type { LedgerHead, ModelPrice, Quote } from '@app/billing';
import type { Principal } from '@app/platform';
import type { Attribution, Hold } from '@app/quota';
import type { ModelRequest } from '../request/model-request';
import type { RequestFacts, TierAsked } from '../request/request-facts';
import type { Candidate, Plan } from '../route/router';
import type { CallTrace } from '../telemetry/call-trace';

/** Whose call it is, and what is to become of it. */
export interface Call {
  readonly principal: Principal;
  readonly request: ModelRequest;
  readonly facts: RequestFacts;
  readonly plan: Plan;
  /** Notes what becomes of it; null while telemetry is off. */
  readonly trace: CallTrace | null;
}

/** At what one candidate would answer. */
export interface Terms {
  readonly candidate: Candidate;
  readonly price: ModelPrice;
  readonly quote: Quote;
  /** What the ledger says of whose call it was, and who answered. */
  readonly attribution: Attribution<LedgerHead>;
  /** How often each of its searching tools may be used. */
  readonly uses: readonly number[];
  /** The service tier it is let into. */
  readonly tier: TierAsked | undefined;
}

/** What was agreed for a call. */
export interface Deal {
  /** Suffices for whichever candidate answers. */
  readonly hold: Hold;
  /** One for each candidate, in their order. */
  readonly terms: readonly [Terms, ...Terms[]];
  /** The output limit it was lowered to, if it was. */
  readonly clampedTo: number | null;
}
