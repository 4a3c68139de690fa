import { headersToProvider } from '../headers';
import type { Terms } from '../money/deal';
import type { Candidate } from '../route/router';
import { editMembers, usageAsked } from '../scan/request-edit';
import type { ModelRequest } from './model-request';
import { LIMIT_KEYS, type RequestFacts } from './request-facts';
import { searchEdits } from './search-uses';
import { translatedRequest, type CandidateRequest } from './translated-request';

/**
 * A request as a candidate gets it: edited by splicing, what is not ours byte for byte as it was sent; or translated.
 * @throws CodedError `not_expressible`, `validation_failed`
 */
export function requestTo(
  { candidate, uses, tier }: Terms,
  clampedTo: number | null,
  request: ModelRequest,
  facts: RequestFacts,
): CandidateRequest {
  if (candidate.wire !== facts.wire) return translatedRequest(candidate, clampedTo, request, facts);
  const { path, headers, body } = request;
  const searches = facts.searches.length > 0 ? searchEdits(body, facts, uses) : undefined;
  const set: Record<string, string> = { ...searches?.set };
  if (candidate.upstreamModel !== facts.model) set['model'] = JSON.stringify(candidate.upstreamModel);
  if (asksUsageForUs(facts)) set['stream_options'] = usageAsked(body, facts.object);
  if (facts.stores) set['store'] = 'false';
  if (clampedTo !== null) {
    const limit = String(Math.min(clampedTo, candidate.model.maxOutputTokens));
    for (const key of limitKeys(candidate, facts)) set[key] = limit;
  }
  const edited = editMembers(body, facts.object, {
    remove: facts.ownedKeys.filter((key) => key !== tier?.key),
    set,
    insert: searches?.insert,
  });
  return {
    path,
    model: candidate.upstreamModel,
    headers: headersToProvider(headers, edited.length),
    body: edited,
    translation: null,
  };
}

/** A stream of chat completions tells its usage only if asked, and the bill needs it; the answer to our asking is hidden again. */
export const asksUsageForUs = (facts: RequestFacts): boolean =>
  facts.wire === 'chat' && facts.stream && !facts.usageAsked;

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
