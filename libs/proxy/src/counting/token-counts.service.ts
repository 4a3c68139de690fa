import { CodedError, type Principal } from '@app/platform';
import { Injectable } from '@nestjs/common';
import { explain } from '../answer/call-faults';
import { errorAnswer, isErrorObject } from '../answer/provider-answer';
import { mediaTokensMax } from '../bounds/media-bounds';
import { headersToClient, headersToProvider } from '../headers';
import { RequestIntake } from '../request/intake.service';
import type { ModelRequest } from '../request/model-request';
import type { RequestFacts } from '../request/request-facts';
import type { Candidate } from '../route/router';
import { editMembers } from '../scan/request-edit';
import type { CallTrace } from '../telemetry/call-trace';
import { Upstream } from '../upstream';
import { withoutMedia } from './count-question';
import { TokenCounter } from './token-counter';

const PATIENCE_MS = 15_000;

/** How servers of the messages API answer that do not count. */
const NO_ROUTE: ReadonlySet<number> = new Set([404, 405, 501]);

export interface CountTold {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** Tells how many tokens a message request has. It costs nothing, so nothing is held, and a spent budget does not matter. */
@Injectable()
export class TokenCounts {
  constructor(
    private readonly intake: RequestIntake,
    private readonly upstream: Upstream,
    private readonly tokens: TokenCounter,
  ) {}

  /** @throws CodedError as a call of the model would, and `count_not_offered` */
  async count(principal: Principal, asked: ModelRequest, trace: CallTrace | null = null): Promise<CountTold> {
    const { request, facts, plan, shown } = await this.intake.take(principal, asked);
    trace?.planned(facts, plan, shown, this.upstream.provider(plan.candidates[0].provider));
    const candidate = plan.candidates[this.upstream.firstToAsk(plan.candidates)] as Candidate;
    if (candidate.wire === 'messages') return this.ask(candidate, facts, request, trace);
    const body = JSON.stringify({ input_tokens: await this.countHere(candidate, facts, request) });
    return { status: 200, headers: headersToClient({}, request.id), body: Buffer.from(body) };
  }

  private async ask(
    candidate: Candidate,
    facts: RequestFacts,
    request: ModelRequest,
    trace: CallTrace | null,
  ): Promise<CountTold> {
    const { provider, upstreamModel } = candidate;
    const set: Record<string, string> = upstreamModel === facts.model ? {} : { model: JSON.stringify(upstreamModel) };
    const body = editMembers(request.body, facts.object, { remove: facts.ownedKeys, set });
    const query = request.path.slice(request.path.split('?', 1)[0]?.length);
    const headers = headersToProvider(request.headers, body.length);
    const asked = { query, headers, body, patienceMs: PATIENCE_MS, trace };
    trace?.trying(candidate);
    const told = await this.upstream.countTokens(provider, asked).catch((error: Error) => {
      trace?.tried(0, error);
      throw error.name === 'TimeoutError' ? new CodedError('provider_timeout') : explain(error);
    });
    trace?.tried(told.status, null);
    if (NO_ROUTE.has(told.status) && !isErrorObject(told.body)) throw new CodedError('count_not_offered');
    const answer = told.status < 300 ? told : errorAnswer('anthropic', told.status, told.body);
    const toClient = headersToClient(told.headers, request.id);
    toClient['content-type'] = 'application/json';
    return { status: answer.status, headers: toClient, body: answer.body };
  }

  private async countHere({ model }: Candidate, facts: RequestFacts, { body }: ModelRequest): Promise<number> {
    const { tokenizer } = model;
    if (!tokenizer) throw new CodedError('count_not_offered');
    const text = await this.tokens.count({ tokenizer, body: withoutMedia(body, facts) });
    if (text === null) throw new CodedError('count_not_offered', 'The tokens could not be counted in time.');
    return text + mediaTokensMax(facts.media, body, model).tokens;
  }
}
