import { maskKeys, renderError, type CodedError } from '@app/platform';
import type { StreamError } from '../usage/stream-events';
import { isObject } from '../usage/token-counts';
import type { FailureTold } from '../usage/whole-usage';
import { DIALECT_OF, type Wire } from '../wire';

const FAILED = 'The provider failed in the middle of the answer; try again.';

/** A provider's error in the middle of a stream, as the last event: its type, which clients act on, and our words. */
export function errorEvent(wire: Wire, error: StreamError): Buffer {
  const known = knownCode(error.type);
  if (wire === 'responses') return Buffer.from(failedResponse(error));
  return Buffer.from(
    wire === 'messages'
      ? // After the event's name, which may have been relayed: a repeated field replaces the former one.
        named({ type: 'error', error: { type: known ?? 'api_error', message: FAILED } })
      : `data: ${JSON.stringify({ error: { message: FAILED, type: known ?? 'server_error', param: null, code: null } })}\n\n`,
  );
}

/** The last event of a stream that we end, in the shape in which clients of the wire read errors. */
export function cutEvent(wire: Wire, error: CodedError, requestId: string): string {
  const { body } = renderError(error, DIALECT_OF[wire], requestId);
  if (wire === 'messages') return `\n\nevent: error\ndata: ${body}\n\n`;
  if (wire !== 'responses') return `\n\ndata: ${body}\n\n`;
  const told = JSON.parse(body) as { error: { code: string; message: string } };
  return `\n\n${named(responseError(told.error.code, told.error.message, 0, told))}`;
}

/** A response that was answered whole and has failed: all of it but the words of its error. */
export function failureInOurWords(body: Buffer, { start, end, code, message }: FailureTold): Buffer {
  const error = JSON.stringify({ code: knownCode(code) ?? 'server_error', message: wordsFor(code, message) });
  return Buffer.concat([body.subarray(0, start), Buffer.from(error), body.subarray(end)]);
}

/** The provider's own event, but for the words of its error. */
function failedResponse({ type, message, event }: StreamError): string {
  const code = knownCode(type) ?? 'server_error';
  const words = wordsFor(type, message);
  const { response, sequence_number: number } = event ?? {};
  if (event?.['type'] === 'response.failed' && isObject(response))
    return named({ ...event, type: 'response.failed', response: { ...response, error: { code, message: words } } });
  return named(responseError(code, words, number, { error: { type: code, code, message: words, param: null } }));
}

/** An `error` event as the API reference has it; `more` brings the error as an object, which is what the SDKs look for. */
const responseError = (code: string, message: string, number: unknown, more: object) => ({
  ...{ type: 'error', sequence_number: typeof number === 'number' ? number : 0, code, message, param: null },
  ...more,
});

/** Codes that speak of the request, not of the account. */
const CALLERS_FAULT = /^(context_length_exceeded|invalid_[a-z_]+|[a-z_]*image[a-z_]*)$/;

const wordsFor = (code: string | null, message: string | null): string =>
  code !== null && message !== null && CALLERS_FAULT.test(code) ? maskKeys(message) : FAILED;

const knownCode = (code: string | null): string | undefined =>
  code !== null && /^[a-z_]{1,64}$/.test(code) ? code : undefined;

const named = (event: { readonly type: string; readonly [field: string]: unknown }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
