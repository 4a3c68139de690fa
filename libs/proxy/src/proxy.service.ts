import type { Principal } from '@app/platform';
import { Injectable } from '@nestjs/common';
import { ActiveCalls } from './active-calls';
import type { AnswerSink } from './answer/answer-sink';
import type { KeptCall } from './answer/kept-call';
import { ResponseCache } from './cache/response-cache.service';
import { ENDED, Exchange } from './exchange';
import { Admission } from './money/admission.service';
import { RequestIntake } from './request/intake.service';
import type { ModelRequest } from './request/model-request';
import type { CallTrace } from './telemetry/call-trace';
import { Upstream } from './upstream';

/** The path of a model request. There is no other way to a provider. */
@Injectable()
export class ProxyService {
  constructor(
    private readonly intake: RequestIntake,
    private readonly admission: Admission,
    private readonly upstream: Upstream,
    private readonly calls: ActiveCalls,
    private readonly cache: ResponseCache,
  ) {}

  /**
   * Answers one request into `sink`; `leaving` tells when nobody reads on, and `notes` are taken of what happens.
   * @throws CodedError as long as nothing was written to the sink
   */
  async answer(
    principal: Principal,
    incoming: ModelRequest,
    sink: AnswerSink,
    leaving: Leaving,
    { trace, kept }: CallNotes = NO_NOTES,
  ): Promise<void> {
    const intake = this.intake.take(principal, incoming);
    const taken = intake instanceof Promise ? await intake : intake;
    const { request, facts, policy, plan, shown } = taken;
    const asked = this.admission.price(principal, taken);
    trace?.planned(facts, plan, shown, this.upstream.provider(plan.candidates[0].provider));
    kept?.routed(plan.publicModel, shown);
    const cached = principal.cacheSeconds === 0 ? null : this.cache.open(principal, asked, sink);
    const client = cached ?? sink;
    const told = policy === null ? client : policy.around(client, request.body !== shown);
    const exchange = new Exchange({ principal, request, facts, plan, trace }, told, this.upstream);
    this.calls.add(exchange);
    try {
      policy?.cuts(exchange);
      leaving.tell(exchange);
      if (cached && (await cached.answer(exchange))) {
        if (trace) trace.isCached = true;
        return;
      }
      const deal = await this.admission.admit(principal, asked, exchange);
      trace?.admitted();
      kept?.admitted();
      await exchange.run(deal);
    } catch (error) {
      // Whoever left while it waited is told nothing.
      if (error !== ENDED) throw error;
    } finally {
      cached?.conclude(exchange.answered);
      this.calls.remove(exchange);
    }
  }
}

/** Who takes notes of a call; null for nobody. */
export interface CallNotes {
  readonly trace: CallTrace | null;
  readonly kept: KeptCall | null;
}

const NO_NOTES: CallNotes = { trace: null, kept: null };

/** How a caller says that it left: it cuts the call, at most once, at any time. */
export interface Leaving {
  tell(exchange: { cut(why: 'client left'): void }): void;
}
