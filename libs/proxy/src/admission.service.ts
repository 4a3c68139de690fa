import { quote, type Bounds, type LedgerHead, type ModelPrice, type Quote, type RateCard } from '@app/billing';
import type { Principal } from '@app/platform';
import { BudgetExceeded, Holds, type Hold, type Room } from '@app/quota';
import { Injectable } from '@nestjs/common';
import { Attributions } from './attributions';
import { boundsOf, type Counted } from './bounds/bounds';
import { leastLimit, payableLimit } from './clamp';
import { InputCounter } from './counting/input-counter';
import { endUserOf } from './end-user';
import type { Deal } from './exchange';
import { WorstCase } from './ledger-sink';
import { refuseUnpriced, tierGranted } from './priced-features';
import type { ModelRequest } from './model-request';
import type { RequestFacts } from './request-facts';
import type { Plan } from './router';
import { usesOf } from './search-uses';

/** A request, and by what it is priced. */
export interface Asked {
  readonly card: RateCard;
  readonly price: ModelPrice;
  readonly plan: Plan;
  readonly facts: RequestFacts;
  readonly request: ModelRequest;
}

/** What a deal says beyond its price. */
type Terms = Pick<Deal, 'uses' | 'tier' | 'clampedTo'>;

/** How often an answer is shortened to what there was room for a moment ago. */
const CLAMP_ATTEMPTS = 3;

/** Sets aside what a request can cost at most. Where that does not fit, it looks closer, waits, and shortens the answer if it may. */
@Injectable()
export class Admission {
  readonly #attributions = new Attributions();

  constructor(
    private readonly holds: Holds,
    private readonly counter: InputCounter,
  ) {}

  /** @throws BudgetExceeded, CodedError `feature_not_supported`, `validation_failed`, and those of `Holds.reserve` */
  async admit(principal: Principal, asked: Asked): Promise<Deal> {
    try {
      return await this.find(principal, asked);
    } catch (error) {
      if (error instanceof BudgetExceeded) this.holds.refused(error);
      throw error;
    }
  }

  private async find(principal: Principal, asked: Asked): Promise<Deal> {
    const { facts, request, plan, price } = asked;
    const [candidate] = plan.candidates;
    refuseUnpriced(facts, price);
    const uses = usesOf(facts, candidate.model, price, principal.clampsOutput);
    const tier = tierGranted(facts, price);
    const bound = (counted?: Counted): Bounds =>
      boundsOf(facts, request.body, candidate.model, { counted, uses, serviceTier: tier?.name });
    const loose = bound();
    const terms = { uses, tier, clampedTo: null };
    const refused = await this.tryHold(principal, asked, loose, false, terms);
    if (!(refused instanceof BudgetExceeded)) return refused;

    const counted = mayHelp(asked, loose, refused, principal.clampsOutput)
      ? await this.counter.count(candidate, facts, request)
      : null;
    const bounds = counted ? tighter(loose, bound(counted)) : loose;
    const stillRefused = await this.tryHold(principal, asked, bounds, true, terms);
    if (!(stillRefused instanceof BudgetExceeded)) return stillRefused;
    if (!principal.clampsOutput) throw stillRefused;
    return this.clamped(principal, asked, bounds, terms, stillRefused);
  }

  /** Lowers the output limit to what there is room for; where that is too little, waits for the least an answer needs. */
  private async clamped(
    principal: Principal,
    asked: Asked,
    bounds: Bounds,
    terms: Terms,
    refused: BudgetExceeded,
  ): Promise<Deal> {
    const least = leastLimit(bounds.outputTokensMax, asked.facts.thinkingTokens);
    if (least === null) throw refused;
    let { room } = refused;
    for (let attempt = 0; attempt < CLAMP_ATTEMPTS; attempt++) {
      const limit = payableLimit(least, bounds.outputTokensMax, (outputTokensMax) =>
        fits(quote(asked.card, asked.price, { ...bounds, outputTokensMax }), room),
      );
      const clamped = { ...bounds, outputTokensMax: limit ?? least };
      const clampedTo = clamped.outputTokensMax;
      const deal = await this.tryHold(principal, asked, clamped, limit === null, { ...terms, clampedTo });
      if (!(deal instanceof BudgetExceeded)) return deal;
      if (limit === null) break;
      room = deal.room;
    }
    throw refused;
  }

  private async tryHold(
    principal: Principal,
    asked: Asked,
    bounds: Bounds,
    mayWait: boolean,
    terms: Terms,
  ): Promise<Deal | BudgetExceeded> {
    const worst = quote(asked.card, asked.price, bounds);
    const attribution = this.#attributions.of(headOf(principal, asked, worst));
    const draft = new WorstCase(attribution, worst.worst);
    try {
      const hold: Hold = await this.holds.reserve(principal, worst, draft, ledgerId(asked.request.id), mayWait);
      return { hold, quote: worst, price: asked.price, ...terms };
    } catch (error) {
      if (error instanceof BudgetExceeded) return error;
      throw error;
    }
  }
}

const fits = ({ costNanos, tokens }: Quote, room: Room): boolean =>
  (room.cost === null || costNanos <= room.cost) && (room.tokens === null || BigInt(tokens) <= room.tokens);

/** Whether knowing the input better can make a request fit, as its windows stood. */
function mayHelp({ card, price, facts }: Asked, bounds: Bounds, { most }: BudgetExceeded, mayClamp: boolean): boolean {
  const least = mayClamp ? leastLimit(bounds.outputTokensMax, facts.thinkingTokens) : null;
  const outputTokensMax = least ?? bounds.outputTokensMax;
  return fits(quote(card, price, { ...bounds, inputTokensMax: 1, outputTokensMax }), most);
}

const tighter = (one: Bounds, other: Bounds): Bounds => (other.inputTokensMax < one.inputTokensMax ? other : one);

/** The ledger row has the id the caller was told: `req_` and the row's 32 hex digits. */
const ledgerId = (requestId: string): string => requestId.slice('req_'.length);

const headOf = (principal: Principal, { plan, facts }: Asked, { rateCard, formula }: Quote): LedgerHead => ({
  tenantId: principal.tenantId as string,
  tokenId: principal.id,
  subject: principal.subject,
  endUser: endUserOf(facts.endUser),
  model: plan.publicModel,
  provider: plan.candidates[0].provider,
  rateCard,
  formula,
});
