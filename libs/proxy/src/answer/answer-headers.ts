import { headersToClient } from '../headers';
import type { Call, Terms } from '../money/deal';
import type { Credential } from '../provider/credential';

/** Tells a caller that its output limit was lowered, and to how many tokens. */
const CLAMPED_HEADER = 'x-openclawmu-output-clamped';
/** Names what was taken out of its request because nobody could bound or price it, or the provider has no words for it. */
const DROPPED_HEADER = 'x-openclawmu-dropped';
/** Tells a caller of a route which model has answered, and is billed. */
const MODEL_HEADER = 'x-openclawmu-model';

/** What became of a call on its way. */
interface Tidings {
  /** The output limit it was lowered to, in tokens. */
  readonly clampedTo: number | null;
  /** Names of what did not reach the provider. */
  readonly dropped: readonly string[];
  readonly terms: Terms;
  /** The provider's key, which no header may repeat. */
  readonly key: Credential | null;
}

/** The headers of an answer: those of the provider's that concern the caller, and what the gateway has to say. */
export function answerHeaders(
  from: Readonly<Record<string, string | string[] | undefined>>,
  { request, plan }: Call,
  { clampedTo, dropped, terms, key }: Tidings,
): Record<string, string> {
  const headers = headersToClient(from, request.id);
  // A provider may repeat what it was sent.
  if (key !== null) for (const name in headers) if (key.isIn(headers[name] as string)) delete headers[name];
  if (clampedTo !== null) headers[CLAMPED_HEADER] = String(clampedTo);
  if (dropped.length > 0) headers[DROPPED_HEADER] = dropped.join(', ');
  if (plan.rules !== null) headers[MODEL_HEADER] = terms.candidate.model.id;
  return headers;
}
