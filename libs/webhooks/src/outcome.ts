/** What an attempt met: an answer's status, or why there was none. */
export type Answer =
  | { readonly status: number; readonly retryAfter?: string | undefined }
  | { readonly status: null; readonly error: string };

export type Outcome =
  | { readonly state: 'delivered'; readonly status: number }
  | {
      readonly state: 'pending' | 'dead';
      readonly status: number | null;
      readonly error: string;
      readonly delayMs: number;
    };

const FIRST_DELAY_MS = 5_000;
const GROWTH = 3;
const LONGEST_DELAY_MS = 12 * 3_600_000;
/** Most a receiver may ask for with `Retry-After`. */
const LONGEST_WISH_MS = 24 * 3_600_000;
/** With these delays the last attempt is made about 26 hours after the first. */
export const MOST_ATTEMPTS = 11;

/** RFC 9110, section 15.5.11; Standard Webhooks takes it for a receiver that wants no more notices. */
const GONE = 410;

/**
 * What becomes of a notice after an attempt. Only a status of 2xx is a delivery; a redirect is not followed, because the
 * address was chosen by an administrator and a receiver could lead elsewhere.
 *
 * @param attempts how many were made, this one included
 * @param random from 0 to below 1; spreads attempts so that notices of one moment do not come back together
 */
export function judge(answer: Answer, attempts: number, now: Date, random: number): Outcome {
  const { status } = answer;
  if (status !== null && status >= 200 && status < 300) return { state: 'delivered', status };
  const error = status === null ? answer.error : `answered ${status}`;
  if (status === GONE || attempts >= MOST_ATTEMPTS) return { state: 'dead', status, error, delayMs: 0 };
  const wish = status === null ? 0 : wishOf(answer.retryAfter, now);
  return { state: 'pending', status, error, delayMs: Math.max(delayMs(attempts, random), wish) };
}

/** Grows threefold from 5 s to 12 h, with a fifth more or less by chance. */
function delayMs(attempts: number, random: number): number {
  const plain = Math.min(FIRST_DELAY_MS * GROWTH ** (attempts - 1), LONGEST_DELAY_MS);
  return Math.round(plain * (0.8 + 0.4 * random));
}

/** `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. What cannot be read is no wish. */
function wishOf(retryAfter: string | undefined, now: Date): number {
  if (retryAfter === undefined) return 0;
  const wish = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now.getTime();
  return Number.isNaN(wish) ? 0 : Math.min(Math.max(wish, 0), LONGEST_WISH_MS);
}
