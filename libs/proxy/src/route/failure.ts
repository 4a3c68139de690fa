import type { Failure } from './attempts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Answers that say that a request was not worked on, or that cost nothing: it may be sent again, anywhere. */
export const mayBeSentAgain = (status: number): boolean =>
  status === 408 || status === 429 || (status >= 500 && status !== 501) || refusesKey(status);

/** Answers about the gateway's own key. */
export const refusesKey = (status: number): boolean => status === 401 || status === 403;

/** Answers that tell of a provider that is not well, unlike those that tell of a request, a key or a limit. */
export const isProvidersFault = (status: number): boolean => status >= 500 && status !== 501;

/**
 * How long a provider asks to be left alone, in ms: `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, section
 * 10.2.3). Null where it does not say, or nonsense.
 */
export function retryAfterMs(headers: Headers, now: Date): number | null {
  const exact = numberIn(headers['retry-after-ms']);
  if (exact !== null) return exact;
  const told = headers['retry-after'];
  const seconds = numberIn(told);
  if (seconds !== null) return seconds * 1_000;
  const at = typeof told === 'string' && told.endsWith('GMT') ? Date.parse(told) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

/** What a refusal says of another attempt. */
export function refusalOf(status: number, headers: Headers, hasSpareKey: boolean): Failure {
  const atOnce = hasSpareKey && (status === 429 || refusesKey(status));
  return { retryAfterMs: retryAfterMs(headers, new Date()), mayRepeat: atOnce || !refusesKey(status), atOnce };
}

const numberIn = (text: string | string[] | undefined): number | null =>
  typeof text === 'string' && /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : null;
