import { formatNanos } from '@app/platform';
import { CLIENT_LEFT, errorOf, errorOfAttempt, outcomeOf } from './call-outcome';
import type { AttemptNotes, CallTrace, SettledNotes } from './call-trace';
import { addressOf } from './provider-name';
import { OPERATION_OF, ROUTE_OF } from './traced-api';

export type AttributeValue = string | number | boolean | string[];
export type SpanAttributes = Record<string, AttributeValue>;

/** A span as it is to be sent. Times are monotonic ms. */
export interface SpanNotes {
  readonly name: string;
  readonly kind: 'server' | 'client';
  readonly spanId: string;
  /** Null for the first of its trace. */
  readonly parentId: string | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly isError: boolean;
}

/** A 5xx is the server's error; a 4xx is not (conventions for HTTP servers). */
const SERVER_ERROR = 500;

/**
 * The spans of a call: the request to us, the operation by the conventions for generative AI, and in it each attempt at a
 * provider. Version 1.41.0 of the conventions
 * (https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-spans.md).
 */
export function spansOf(call: CallTrace): SpanNotes[] {
  const spans = [serverSpan(call)];
  if (call.plan === null) return spans;
  spans.push(operationSpan(call));
  call.attempts.forEach((attempt, index) => spans.push(attemptSpan(call, attempt, index)));
  return spans;
}

/** The last attempt that was sent, or the last that was tried: who answered, if anybody did. */
export const answering = ({ attempts }: CallTrace): AttemptNotes | undefined =>
  attempts.findLast(({ provider }) => provider !== null) ?? attempts.at(-1);

function serverSpan(call: CallTrace): SpanNotes {
  const { asking, startMs, endMs, status, parent } = call;
  const error = errorOf(call);
  const isError = status >= SERVER_ERROR || (error !== null && error !== CLIENT_LEFT && status < 400);
  const path = ROUTE_OF[asking.api];
  const attributes: SpanAttributes = {
    'http.request.method': 'POST',
    'http.route': path,
    'url.path': path,
    'url.scheme': 'http',
  };
  addIdentity(attributes, call);
  if (status !== 0) attributes['http.response.status_code'] = status;
  if (asking.userAgent !== undefined) attributes['user_agent.original'] = asking.userAgent;
  if (isError && error !== null) attributes['error.type'] = error;
  return {
    name: `POST ${path}`,
    kind: 'server',
    spanId: call.serverSpanId,
    parentId: parent?.spanId ?? null,
    startMs,
    endMs,
    attributes,
    isError,
  };
}

/** Whose call it is. Labels and people are not named: the ids lead to them for whoever may know. */
function addIdentity(attributes: SpanAttributes, { asking, principal }: CallTrace): void {
  attributes['openclawmu.request.id'] = asking.id;
  attributes['openclawmu.tenant.id'] = principal.tenantId ?? '';
  attributes['openclawmu.token.id'] = principal.id;
}

/** All that is told of an operation goes into one object: spreading several into one costs several times as much. */
function operationSpan(call: CallTrace): SpanNotes {
  const attributes = operationAttributes(call);
  addRequest(attributes, call);
  addOutcome(attributes, call);
  if (call.settled) addSettled(attributes, call.settled);
  addIdentity(attributes, call);
  return {
    name: `${OPERATION_OF[call.asking.api]} ${call.plan?.publicModel}`,
    kind: 'client',
    spanId: call.callSpanId,
    parentId: call.serverSpanId,
    startMs: call.plannedMs,
    endMs: call.endMs,
    attributes,
    isError: attributes['error.type'] !== undefined,
  };
}

/** What spans and metrics say alike of an operation. */
export function operationAttributes(call: CallTrace): SpanAttributes {
  const { asking, plan, settled, first } = call;
  const attempt = answering(call);
  const provider = attempt?.provider ?? first;
  const attributes: SpanAttributes = {
    'gen_ai.operation.name': OPERATION_OF[asking.api],
    'gen_ai.request.model': plan?.publicModel ?? '',
  };
  if (provider) {
    const { name, host, port } = addressOf(provider);
    attributes['gen_ai.provider.name'] = name;
    attributes['server.address'] = host;
    attributes['server.port'] = port;
  }
  if (attempt && settled) attributes['gen_ai.response.model'] = attempt.candidate.upstreamModel;
  const error = errorOf(call);
  if (error !== null) attributes['error.type'] = error;
  return attributes;
}

function addRequest(attributes: SpanAttributes, { facts, plannedMs, firstChunkMs }: CallTrace): void {
  if (facts?.stream) attributes['gen_ai.request.stream'] = true;
  if (facts && facts.choices !== 1) attributes['gen_ai.request.choice.count'] = facts.choices;
  if (facts?.outputLimitTokens != null) attributes['gen_ai.request.max_tokens'] = facts.outputLimitTokens;
  if (firstChunkMs !== 0) attributes['gen_ai.response.time_to_first_chunk'] = (firstChunkMs - plannedMs) / 1000;
}

function addOutcome(attributes: SpanAttributes, call: CallTrace): void {
  const { admittedMs, plannedMs, attempts, plan } = call;
  attributes['openclawmu.outcome'] = outcomeOf(call);
  attributes['openclawmu.attempts'] = attempts.length;
  if (admittedMs !== 0) attributes['openclawmu.hold.wait_ms'] = Math.round((admittedMs - plannedMs) * 1000) / 1000;
  const attempt = answering(call);
  if (attempt) attributes['openclawmu.provider'] = attempt.candidate.provider;
  if (attempt && plan?.rules) attributes['openclawmu.model'] = attempt.candidate.model.id;
}

function addSettled(attributes: SpanAttributes, settled: SettledNotes): void {
  const { bill, stopReason, head, providerRequestId, clampedTo } = settled;
  attributes['openclawmu.ledger.status'] = bill.status;
  attributes['openclawmu.cost'] = formatNanos(bill.costNanos);
  attributes['openclawmu.cost_nanos'] = Number(bill.costNanos);
  if (bill.reason !== null) attributes['openclawmu.ledger.reason'] = bill.reason;
  if (providerRequestId !== null) attributes['openclawmu.provider.request.id'] = providerRequestId;
  if (clampedTo !== null) attributes['openclawmu.output.clamped_to'] = clampedTo;
  if (stopReason !== null) attributes['gen_ai.response.finish_reasons'] = [stopReason];
  if (head?.id != null) attributes['gen_ai.response.id'] = head.id;
  // Metrics have the model that was asked for: what a provider says has no bounds.
  if (head?.model != null) attributes['gen_ai.response.model'] = head.model;
  if (isCounted(settled)) addUsage(attributes, settled);
}

/** A worst case is what is owed, not what was used. */
export const isCounted = ({ bill }: SettledNotes): boolean => bill.status === 'actual' || bill.status === 'estimated';

/** Input of every kind together, as the conventions count it. */
export const inputOf = ({ bill: { counts } }: SettledNotes): number =>
  counts.input + counts.audioInput + counts.cacheRead + counts.cacheWrite5m + counts.cacheWrite1h;

export const outputOf = ({ bill: { counts } }: SettledNotes): number =>
  counts.output + counts.audioOutput + counts.reasoning;

function addUsage(attributes: SpanAttributes, settled: SettledNotes): void {
  const { counts } = settled.bill;
  const written = counts.cacheWrite5m + counts.cacheWrite1h;
  attributes['gen_ai.usage.input_tokens'] = inputOf(settled);
  attributes['gen_ai.usage.output_tokens'] = outputOf(settled);
  if (counts.cacheRead > 0) attributes['gen_ai.usage.cache_read.input_tokens'] = counts.cacheRead;
  if (written > 0) attributes['gen_ai.usage.cache_creation.input_tokens'] = written;
  if (counts.reasoning > 0) attributes['gen_ai.usage.reasoning.output_tokens'] = counts.reasoning;
}

function attemptSpan(call: CallTrace, attempt: AttemptNotes, index: number): SpanNotes {
  const { candidate, provider, path, status, spanId, startMs, endMs } = attempt;
  const attributes: SpanAttributes = {
    'openclawmu.provider': candidate.provider,
    'openclawmu.model': candidate.model.id,
    'http.request.method': 'POST',
  };
  if (index > 0) attributes['http.request.resend_count'] = index;
  if (provider) {
    const { host, port, origin } = addressOf(provider);
    attributes['server.address'] = host;
    attributes['server.port'] = port;
    // What the client put behind the path is not for everybody who reads traces.
    attributes['url.full'] = origin + (path.split('?')[0] as string);
  }
  if (status !== 0) attributes['http.response.status_code'] = status;
  const error = errorOfAttempt(attempt);
  if (error !== null) attributes['error.type'] = error;
  return {
    name: `POST ${candidate.provider}`,
    kind: 'client',
    spanId,
    parentId: call.callSpanId,
    startMs,
    endMs,
    attributes,
    isError: error !== null,
  };
}
