import { translateRequest, type ClientFormat, type ProviderFormat } from '@app/dialects';
import { headersOfTranslation } from '../headers';
import type { UpstreamRequest } from '../provider/passage';
import type { Candidate } from '../route/router';
import { PATH_OF, type ProviderWire } from '../wire';
import type { ModelRequest } from './model-request';
import type { RequestFacts } from './request-facts';
import { Translation } from './translation';

/** A request as its candidate understands it. */
export interface CandidateRequest extends UpstreamRequest {
  /** How the answer is told to the client; null where that understands it as it is. */
  readonly translation: Translation | null;
}

/**
 * Writes a request for a candidate that does not speak the client's dialect. Its output limit is the one that was quoted.
 * @throws CodedError `not_expressible`, `validation_failed`
 */
export function translatedRequest(
  { wire, model, upstreamModel }: Candidate,
  clampedTo: number | null,
  { id, headers, body }: ModelRequest,
  facts: RequestFacts,
): CandidateRequest {
  // Requests for vectors have no candidate of another dialect.
  const [from, to] = [facts.wire as ClientFormat, wire as ProviderFormat];
  const translated = translateRequest(from, to, body, {
    model: upstreamModel,
    publicModel: facts.model,
    outputLimit: Math.min(clampedTo ?? Infinity, model.maxOutputTokens),
    limitAlways: clampedTo !== null,
    // OpenAI's models are those with a known tokenizer; other servers know the older name, and templates that are strict.
    chatLimit: model.tokenizer ? 'max_completion_tokens' : 'max_tokens',
    systemFirst: !model.tokenizer,
    requestId: id,
    nowMs: Date.now(),
  });
  return {
    path: pathOf(wire, upstreamModel, facts.stream),
    model: upstreamModel,
    headers: headersOfTranslation(headers, wire, translated.body.length),
    body: translated.body,
    translation: new Translation(to, from, translated.recall, translated.dropped),
  };
}

/** What the client put behind its path means nothing to another API. */
function pathOf(wire: ProviderWire, model: string, stream: boolean): string {
  if (wire !== 'gemini') return PATH_OF[wire];
  const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
  return `/v1beta/models/${encodeURIComponent(model)}:${method}`;
}

/**
 * What of a request concerns a candidate: tools that a provider runs itself, its service tiers and its account do not
 * survive a translation.
 */
export const factsFor = (facts: RequestFacts, { wire }: Candidate): RequestFacts =>
  wire === facts.wire ? facts : { ...facts, searches: [], tiers: [], stores: false };
