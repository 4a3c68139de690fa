import type { IncomingHttpHeaders } from 'node:http';
import { Catalogue, priceOf, quote, type LedgerDraft, type ModelPrice, type Quote } from '@app/billing';
import { Clock, CodedError, type Principal } from '@app/platform';
import { Holds } from '@app/quota';
import { Injectable } from '@nestjs/common';
import { ActiveCalls } from './active-calls';
import type { AnswerSink } from './answer-sink';
import { boundsOf } from './bounds';
import { Exchange } from './exchange';
import { headersToProvider } from './headers';
import { Offer } from './offer';
import { editMembers, usageAsked } from './request-edit';
import type { Dialect, RequestFacts } from './request-facts';
import { readRequest } from './request-reader';
import { route, type Candidate, type Plan } from './router';
import { Upstream, type UpstreamRequest } from './upstream';

/** A model request as it came, its body unread by anybody else. */
export interface ModelRequest {
  /** `req_` and 32 hex digits. */
  readonly id: string;
  readonly dialect: Dialect;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The path of a model request. There is no other way to a provider. */
@Injectable()
export class ProxyService {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly holds: Holds,
    private readonly upstream: Upstream,
    private readonly calls: ActiveCalls,
    private readonly clock: Clock,
  ) {}

  /**
   * Answers one request into `sink`; `leaving` tells when nobody reads on.
   * @throws CodedError as long as nothing was written to the sink
   */
  async answer(principal: Principal, request: ModelRequest, sink: AnswerSink, leaving: Leaving): Promise<void> {
    const facts = readRequest(request.dialect, request.body);
    const plan = route(new Offer(this.catalogue, this.upstream), principal, facts.model, facts.dialect);
    const { price, worst } = this.quote(principal, plan, facts);
    const draft = draftOf(principal, plan, worst);
    const exchange = new Exchange({ quote: worst, price, draft, facts }, sink, request.id, asksUsageForUs(facts));
    this.calls.add(exchange);
    try {
      leaving.tell(exchange);
      const hold = await this.holds.reserve(principal, worst, draft, ledgerId(request.id));
      await exchange.run(hold, this.upstream, this.toProvider(plan.candidates[0], request, facts));
    } finally {
      this.calls.remove(exchange);
    }
  }

  private quote(principal: Principal, plan: Plan, facts: RequestFacts): { price: ModelPrice; worst: Quote } {
    const card = this.catalogue.cardAt(this.clock.now());
    const price = card && priceOf(card, plan.publicModel, principal.tenantId);
    if (!card || !price)
      throw new CodedError('model_not_priced', `The rate card in force has no price for "${plan.publicModel}".`);
    return { price, worst: quote(card, price, boundsOf(facts, plan.candidates[0].model)) };
  }

  private toProvider(
    candidate: Candidate,
    { path, headers, body }: ModelRequest,
    facts: RequestFacts,
  ): UpstreamRequest {
    const set: Record<string, string> = {};
    if (candidate.upstreamModel !== facts.model) set['model'] = JSON.stringify(candidate.upstreamModel);
    if (asksUsageForUs(facts)) set['stream_options'] = usageAsked(body, facts.object);
    const edited = editMembers(body, facts.object, { remove: facts.ownedKeys, set });
    const { provider } = candidate;
    return {
      provider,
      path,
      headers: headersToProvider(headers, this.upstream.provider(provider), edited.length),
      body: edited,
    };
  }
}

/** How a caller says that it left: it calls `leave`, at most once, at any time. */
export interface Leaving {
  tell(exchange: { leave(): void }): void;
}

/** An OpenAI stream tells its usage only if asked, and the bill needs it; the answer to our asking is hidden again. */
const asksUsageForUs = (facts: RequestFacts): boolean =>
  facts.dialect === 'openai' && facts.stream && !facts.usageAsked;

/** The ledger row has the id the caller was told: `req_` and the row's 32 hex digits. */
const ledgerId = (requestId: string): string => requestId.slice('req_'.length);

const draftOf = (principal: Principal, plan: Plan, { rateCard, formula, worst }: Quote): LedgerDraft => ({
  tenantId: principal.tenantId as string,
  tokenId: principal.id,
  subject: principal.subject,
  endUser: null,
  model: plan.publicModel,
  provider: plan.candidates[0].provider,
  rateCard,
  formula,
  worst,
});
