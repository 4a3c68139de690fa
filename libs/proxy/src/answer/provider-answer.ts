import { CodedError, maskKeys } from '@app/platform';
import type { FailureTold } from '../usage/whole-usage';
import { type Dialect, DIALECT_OF, type Wire } from '../wire';
import { failureInOurWords } from './error-events';

export interface ProviderAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Faults of the request, which the provider explains better than we could; Claude Code even acts on the very words. */
const CALLERS_FAULT = new Set([400, 404, 405, 409, 413, 415, 422]);

/** The gateway's own credentials were refused: nothing the tenant could do about. */
const GATEWAYS_FAULT = new Set([401, 403, 407]);

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  408: 'timeout_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
  504: 'timeout_error',
};
const OPENAI_TYPES: Readonly<Record<number, string>> = { 429: 'rate_limit_error' };

/**
 * What a client gets to see of an answer that came whole, in the client's wire.
 * @param failure what a response with a good status says of itself, if it failed
 * @throws CodedError where it is of no use to the client
 */
export function wholeAnswer(wire: Wire, status: number, body: Buffer, failure: FailureTold | null): ProviderAnswer {
  if (status >= 300) return errorAnswer(DIALECT_OF[wire], status, body);
  return { status, body: failure ? failureInOurWords(body, failure) : body };
}

/**
 * What a client gets to see of a provider's answer with an error status: its own words where the request is at fault,
 * the same status and type with our words where they might name the account all tenants share.
 * @throws CodedError where the provider's answer is of no use to the client
 */
export function errorAnswer(dialect: Dialect, status: number, body: Buffer): ProviderAnswer {
  if (GATEWAYS_FAULT.has(status)) throw new CodedError('provider_rejected_gateway');
  if (CALLERS_FAULT.has(status)) {
    if (isErrorObject(body)) return { status, body: Buffer.from(maskKeys(body.toString('utf8'))) };
    throw new CodedError(
      'provider_error',
      `The provider answered ${status} with something that is not an error of its API.`,
    );
  }
  if (status < 400) throw new CodedError('provider_error', `The provider answered with status ${status}.`);
  return { status, body: Buffer.from(JSON.stringify(ourWords(dialect, status))) };
}

function ourWords(dialect: Dialect, status: number): object {
  const message =
    status === 429
      ? 'The provider limits the rate of requests; try again later.'
      : `The provider failed (${status}); try again.`;
  if (dialect === 'anthropic')
    return { type: 'error', error: { type: ANTHROPIC_TYPES[status] ?? 'api_error', message } };
  return { error: { message, type: OPENAI_TYPES[status] ?? 'server_error', param: null, code: null } };
}

export function isErrorObject(body: Buffer): boolean {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && 'error' in parsed;
  } catch {
    return false;
  }
}
