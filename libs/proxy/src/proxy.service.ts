import { Catalogue, Prices } from '@app/billing';
import type { Principal } from '@app/platform';
import { Injectable } from '@nestjs/common';
import { ActiveCalls } from './active-calls';
import { Admission } from './admission.service';
import type { AnswerSink } from './answer-sink';
import { Exchange, type Deal } from './exchange';
import { headersToProvider } from './headers';
import type { ModelRequest } from './model-request';
import { Offer } from './offer';
import { editMembers, usageAsked } from './request-edit';
import { LIMIT_KEYS, type RequestFacts } from './request-facts';
import { readRequest } from './request-reader';
import { route, type Candidate } from './router';
import { searchEdits } from './search-uses';
import { Upstream, type UpstreamRequest } from './upstream';

/** The path of a model request. There is no other way to a provider. */
@Injectable()
export class ProxyService {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly admission: Admission,
    private readonly upstream: Upstream,
    private readonly calls: ActiveCalls,
    private readonly prices: Prices,
  ) {}

  /**
   * Answers one request into `sink`; `leaving` tells when nobody reads on.
   * @throws CodedError as long as nothing was written to the sink
   */
  async answer(principal: Principal, request: ModelRequest, sink: AnswerSink, leaving: Leaving): Promise<void> {
    const facts = readRequest(request.wire, request.body);
    const plan = route(new Offer(this.catalogue, this.upstream), principal, facts.model, facts.wire);
    const terms = this.prices.of(plan.publicModel, principal.tenantId);
    const [candidate] = plan.candidates;
    const call = { tokenId: principal.id, provider: candidate.provider, facts };
    const exchange = new Exchange(call, sink, request.id, asksUsageForUs(facts));
    this.calls.add(exchange);
    try {
      leaving.tell(exchange);
      const deal = await this.admission.admit(principal, { plan, facts, request, ...terms });
      await exchange.run(deal, this.upstream, this.toProvider(candidate, request, facts, deal));
    } finally {
      this.calls.remove(exchange);
    }
  }

  private toProvider(
    candidate: Candidate,
    { path, headers, body }: ModelRequest,
    facts: RequestFacts,
    { clampedTo, uses, tier }: Deal,
  ): UpstreamRequest {
    const searches = facts.searches.length > 0 ? searchEdits(body, facts, uses) : undefined;
    const set: Record<string, string> = { ...searches?.set };
    if (candidate.upstreamModel !== facts.model) set['model'] = JSON.stringify(candidate.upstreamModel);
    if (asksUsageForUs(facts)) set['stream_options'] = usageAsked(body, facts.object);
    if (facts.stores) set['store'] = 'false';
    if (clampedTo !== null) for (const key of limitKeys(candidate, facts)) set[key] = String(clampedTo);
    const edited = editMembers(body, facts.object, {
      remove: facts.ownedKeys.filter((key) => key !== tier?.key),
      set,
      insert: searches?.insert,
    });
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

/** A stream of chat completions tells its usage only if asked, and the bill needs it; the answer to our asking is hidden again. */
const asksUsageForUs = (facts: RequestFacts): boolean => facts.wire === 'chat' && facts.stream && !facts.usageAsked;

/**
 * The members that limit an answer: those the caller used. Where it used none, the one that OpenAI's models take, or the one
 * that every server understands.
 */
function limitKeys({ model }: Candidate, { wire, object }: RequestFacts): readonly string[] {
  const used = LIMIT_KEYS[wire].filter((key) => object.members.has(key));
  if (used.length > 0) return used;
  if (wire === 'responses') return LIMIT_KEYS.responses;
  return [wire === 'chat' && model.tokenizer ? 'max_completion_tokens' : 'max_tokens'];
}
