import type { LedgerOutcome } from '@app/billing';
import type { AttemptNotes, CallTrace } from './call-trace';

/** What the client is to be blamed for, not a provider and not us. */
export const CLIENT_LEFT = 'client_disconnected';

/**
 * Why a call did not end well, as `error.type`: a code of the gateway, the status of the provider's error that was passed on, or
 * that the client left. Null for a call that was answered.
 */
export function errorOf({ error, settled, status }: CallTrace): string | null {
  if (error !== null) return error;
  if (settled?.outcome === 'aborted') return CLIENT_LEFT;
  if (status >= 400) return String(status);
  // What was answered for nothing was never settled.
  if (settled === null) return status >= 200 && status < 300 ? null : CLIENT_LEFT;
  // An error event of a stream is an end of its own, and tells the client.
  return settled.outcome === 'completed' ? null : 'provider_error';
}

/** What became of a call, whether it was settled or not. */
export function outcomeOf(call: CallTrace): LedgerOutcome | 'cached' | 'unsent' {
  const { settled, isCached, asking, attempts } = call;
  if (settled !== null) return settled.outcome;
  if (isCached) return 'cached';
  if (asking.api !== 'count_tokens') return 'unsent';
  if (errorOf(call) === null) return 'completed';
  return attempts.some(({ provider }) => provider !== null) ? 'failed' : 'unsent';
}

/** Why an attempt came to nothing: a status, a code of the gateway or of the connection, or that it was ended. */
export function errorOfAttempt({ status, error }: AttemptNotes): string | null {
  const code = error !== null && 'code' in error ? String(error.code) : '';
  if (error !== null) return code || 'aborted';
  if (status >= 400) return String(status);
  return status === 0 ? 'aborted' : null;
}
