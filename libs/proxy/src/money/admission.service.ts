import {
  FORMULA,
  NO_USAGE,
  Prices,
  quote,
  quoteAll,
  type Bounds,
  type LedgerHead,
  type ModelPrice,
  type PlanQuote,
  type PricedModels,
  type Quote,
} from '@app/billing';
import type { Principal } from '@app/platform';
import { BudgetExceeded, type Caller, endUserOf, type Hold, Holds, type Room } from '@app/quota';
import { Injectable } from '@nestjs/common';
import { boundsOf, type Counted } from '../bounds/bounds';
import { InputCounter } from '../counting/input-counter';
import type { ModelRequest } from '../request/model-request';
import type { RequestFacts } from '../request/request-facts';
import { usesOf } from '../request/search-uses';
import { factsFor } from '../request/translated-request';
import type { Candidate, Plan } from '../route/router';
import { Attributions } from './attributions';
import { leastLimit, payableLimit } from './clamp';
import type { Deal, Terms } from './deal';
import { WorstCase } from './ledger-sink';
import { refuseUnpriced, tierGranted } from './priced-features';

/** A request that is to be answered. */
export interface Taken {
  readonly plan: Plan;
  readonly facts: RequestFacts;
  readonly request: ModelRequest;
  /** What the tenant's policy says; null where it has none. */
  readonly policy: { readonly outputLimit: number | null; readonly fingerprint: string } | null;
}

/** The same, and by what it is priced: one price for each candidate of its plan. */
export interface Asked extends Taken, PricedModels {}

/** What is decided for a candidate before anything is counted. */
type Decided = Pick<Terms, 'candidate' | 'price' | 'uses' | 'tier'>;

/** How often an answer is shortened to what there was room for a moment ago. */
const CLAMP_ATTEMPTS = 3;

/**
 * Sets aside what a request can cost at most, whichever candidate answers. Where that does not fit, it looks closer, waits, and
 * shortens the answer if it may.
 */
@Injectable()
export class Admission {
  readonly #attributions = new Attributions();

  constructor(
    private readonly holds: Holds,
    private readonly counter: InputCounter,
    private readonly prices: Prices,
  ) {}

  /** @throws CodedError `model_not_priced` */
  price({ tenantId }: Principal, { plan, facts, request, policy }: Taken): Asked {
    const { card, prices } = this.prices.of(plan.candidates, tenantId);
    return { plan, facts, request, policy, card, prices };
  }

  /**
   * @param caller whose end ends the wait for what is held
   * @throws BudgetExceeded, CodedError `feature_not_supported`, `validation_failed`, and those of `Holds.reserve`
   */
  admit(principal: Principal, asked: Asked, caller: Caller): Promise<Deal> {
    const { facts, request, plan, prices } = asked;
    const decided = plan.candidates.map((candidate, i) =>
      decide(candidate, prices[i] as Decided['price'], facts, principal),
    );
    const unlimited = decided.map((one) => boundsFor(one, facts, request));
    const limit = asked.policy === null ? null : limitOf(asked.policy.outputLimit, unlimited);
    const bounds = limit === null ? unlimited : limitedTo(limit, unlimited);
    const first: Try = { bounds, mayWait: false, clampedTo: limit, caller };
    return this.hold(principal, asked, decided, first, (refused) =>
      this.fit(principal, asked, decided, first, refused),
    );
  }

  /**
   * For a request that nobody is asked for: it uses nothing, so it is let in whatever is left of the budget.
   * @param by who has answered it before
   * @throws CodedError those of `Holds.reserve`
   */
  admitFree(principal: Principal, asked: Asked, by: Candidate): Promise<Hold> {
    const free: Quote = { rateCard: asked.card.version, formula: FORMULA, worst: NO_USAGE, costNanos: 0n, tokens: 0 };
    const draft = new WorstCase(this.#attributions.of(headOf(principal, asked, by, free), principal.lineage), NO_USAGE);
    return this.holds.reserve(principal, free, draft, ledgerId(asked.request.id));
  }

  /** Finds a way for a request that there was no room for at first sight. */
  private async fit(
    principal: Principal,
    asked: Asked,
    decided: readonly Decided[],
    first: Try,
    refused: BudgetExceeded,
  ): Promise<Deal> {
    const { facts, request } = asked;
    const { bounds: loose } = first;
    try {
      const bounds = mayHelp(asked, loose, refused, principal.clampsOutput)
        ? await Promise.all(decided.map((one, i) => this.lookCloser(one, loose[i] as Bounds, facts, request)))
        : loose;
      const closer: Try = { ...first, bounds, mayWait: true };
      const stillRefused = await this.hold(principal, asked, decided, closer, asIs);
      if (!(stillRefused instanceof BudgetExceeded)) return stillRefused;
      if (!principal.clampsOutput) throw stillRefused;
      return await this.clamped(principal, asked, decided, closer, stillRefused);
    } catch (error) {
      if (error instanceof BudgetExceeded) this.holds.refused(error);
      throw error;
    }
  }

  private async lookCloser(one: Decided, loose: Bounds, facts: RequestFacts, request: ModelRequest): Promise<Bounds> {
    const counted = await this.counter.count(one.candidate, facts, request);
    if (!counted) return loose;
    const { outputTokensMax } = loose;
    return tighter(loose, { ...boundsFor(one, facts, request, counted), outputTokensMax });
  }

  /** Lowers the output limit to what there is room for; where that is too little, waits for the least an answer needs. */
  private async clamped(
    principal: Principal,
    asked: Asked,
    decided: readonly Decided[],
    { bounds, caller }: Try,
    refused: BudgetExceeded,
  ): Promise<Deal> {
    const most = mostOutput(bounds);
    const least = leastLimit(most, asked.facts.thinkingTokens);
    if (least === null) throw refused;
    let { room } = refused;
    for (let attempt = 0; attempt < CLAMP_ATTEMPTS; attempt++) {
      const limit = payableLimit(least, most, (tokens) => fits(quoteOf(asked, limitedTo(tokens, bounds)), room));
      const clampedTo = limit ?? least;
      const closer: Try = { bounds: limitedTo(clampedTo, bounds), mayWait: limit === null, clampedTo, caller };
      const deal = await this.hold(principal, asked, decided, closer, asIs);
      if (!(deal instanceof BudgetExceeded)) return deal;
      if (limit === null) break;
      room = deal.room;
    }
    throw refused;
  }

  /** @param elsewise what follows a refusal */
  private hold<T>(
    principal: Principal,
    asked: Asked,
    decided: readonly Decided[],
    { bounds, mayWait, clampedTo, caller }: Try,
    elsewise: (refused: BudgetExceeded) => T | Promise<T>,
  ): Promise<Deal | T> {
    const worst = quoteOf(asked, bounds);
    const terms = decided.map(({ candidate, price, uses, tier }, i): Terms => {
      const own = decided.length === 1 ? worst : quote(asked.card, price, bounds[i] as Bounds);
      const attribution = this.#attributions.of(headOf(principal, asked, candidate, own), principal.lineage);
      return { candidate, price, uses, tier, quote: own, attribution };
    }) as [Terms, ...Terms[]];
    return this.holds
      .reserve(principal, worst, draftOf(terms, worst), ledgerId(asked.request.id), mayWait, caller)
      .then(
        (hold) => ({ hold, terms, clampedTo }),
        (error: unknown) => {
          if (error instanceof BudgetExceeded) return elsewise(error);
          throw error;
        },
      );
  }
}

const asIs = (refused: BudgetExceeded): BudgetExceeded => refused;

/** One attempt to hold: within which bounds, whether it waits for what is held, the output limit it lowers, and for whom. */
interface Try {
  readonly bounds: readonly Bounds[];
  readonly mayWait: boolean;
  readonly clampedTo: number | null;
  readonly caller: Caller;
}

function decide(candidate: Candidate, price: Decided['price'], facts: RequestFacts, principal: Principal): Decided {
  const own = factsFor(facts, candidate);
  refuseUnpriced(own, price);
  const uses = usesOf(own, candidate.model, price, principal.clampsOutput);
  return { candidate, price, uses, tier: tierGranted(own, price) };
}

const boundsFor = (
  { candidate, uses, tier }: Decided,
  facts: RequestFacts,
  { body }: ModelRequest,
  counted?: Counted,
): Bounds => boundsOf(factsFor(facts, candidate), body, candidate.model, { counted, uses, serviceTier: tier?.name });

/** At most one candidate bills, so the dearest one's worst case covers all. */
function quoteOf({ card, prices }: Asked, bounds: readonly Bounds[]): PlanQuote {
  if (prices.length !== 1) return quoteAll(card, prices, bounds);
  const { costNanos, tokens, worst, rateCard, formula } = quote(card, prices[0] as ModelPrice, bounds[0] as Bounds);
  return { costNanos, tokens, worst, rateCard, formula, dearest: 0 };
}

/** Should nobody ever learn who answered, it is taken to have been the dearest. */
function draftOf(terms: Deal['terms'], { worst, dearest }: PlanQuote): WorstCase {
  const { attribution } = terms[dearest] as Terms;
  if (terms.length === 1) return new WorstCase(attribution, worst);
  return new WorstCase(
    attribution,
    worst,
    terms.flatMap((one) => (one.attribution === attribution ? [] : [one.attribution])),
  );
}

const fits = ({ costNanos, tokens }: Quote, room: Room): boolean =>
  (room.cost === null || costNanos <= room.cost) && (room.tokens === null || BigInt(tokens) <= room.tokens);

/** Whether knowing the input better can make a request fit, as its windows stood. */
function mayHelp(asked: Asked, bounds: readonly Bounds[], { most }: BudgetExceeded, mayClamp: boolean): boolean {
  const least = mayClamp ? leastLimit(mostOutput(bounds), asked.facts.thinkingTokens) : null;
  const empty = bounds.map((one) => ({ ...one, inputTokensMax: 1 }));
  return fits(quoteOf(asked, least === null ? empty : limitedTo(least, empty)), most);
}

const mostOutput = (bounds: readonly Bounds[]): number => Math.max(...bounds.map((one) => one.outputTokensMax));

/** The output limit a policy sets, where any candidate could write more. */
const limitOf = (limit: number | null, bounds: readonly Bounds[]): number | null =>
  limit !== null && mostOutput(bounds) > limit ? limit : null;

const limitedTo = (outputTokensMax: number, bounds: readonly Bounds[]): readonly Bounds[] =>
  bounds.map((one) => (one.outputTokensMax <= outputTokensMax ? one : { ...one, outputTokensMax }));

const tighter = (one: Bounds, other: Bounds): Bounds => (other.inputTokensMax < one.inputTokensMax ? other : one);

/** The ledger row has the id the caller was told: `req_` and the row's 32 hex digits. */
const ledgerId = (requestId: string): string => requestId.slice('req_'.length);

const headOf = (
  principal: Principal,
  { facts }: Asked,
  { model, provider }: Candidate,
  { rateCard, formula }: Quote,
): LedgerHead => ({
  tenantId: principal.tenantId as string,
  tokenId: principal.id,
  subject: principal.subject,
  endUser: endUserOf(facts.endUser),
  api: facts.wire,
  model: model.id,
  provider,
  rateCard,
  formula,
});
