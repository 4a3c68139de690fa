import { CodedError } from '@app/platform';

export const unusable = (why: string): CodedError => new CodedError('provider_error', `The provider's answer ${why}.`);

const TIMEOUTS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'The provider could not be reached in time.',
  UND_ERR_HEADERS_TIMEOUT: 'The provider did not begin to answer in time.',
  UND_ERR_BODY_TIMEOUT: 'The provider fell silent in the middle of the answer.',
};

/** What a caller is told of a connection's end. */
export function explain(error: Error & { code?: string }): CodedError {
  if (error instanceof CodedError) return error;
  const timeout = TIMEOUTS[error.code ?? ''];
  if (timeout) return new CodedError('provider_timeout', timeout, { cause: error });
  return new CodedError(
    'provider_unreachable',
    error.code === 'UND_ERR_SOCKET' ? 'The connection to the provider broke.' : undefined,
    { cause: error },
  );
}

/** Nobody is asked: the provider has failed too often of late. */
export const resting = (waitMs: number): CodedError =>
  new CodedError('provider_resting', undefined, { headers: { 'retry-after': seconds(waitMs) } });

/** It was not a call's turn in time. */
export const busy = (): CodedError => new CodedError('provider_busy', undefined, { headers: { 'retry-after': '1' } });

const seconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1_000)));
