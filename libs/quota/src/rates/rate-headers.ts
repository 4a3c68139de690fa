import type { Dialect } from '@app/platform';

/** How a limit stands after a request. */
export interface RateStanding {
  readonly limit: number;
  readonly remaining: number;
  /** Until the minute is over. */
  readonly resetSeconds: number;
}

/**
 * The headers in which the two providers tell how many requests are left, so that their SDKs and tools read ours alike.
 * https://platform.openai.com/docs/guides/rate-limits, https://docs.anthropic.com/en/api/rate-limits
 */
export function rateHeaders(
  { limit, remaining, resetSeconds }: RateStanding,
  dialect: Dialect,
  now: Date,
): Readonly<Record<string, string>> {
  if (dialect === 'anthropic')
    return {
      'anthropic-ratelimit-requests-limit': String(limit),
      'anthropic-ratelimit-requests-remaining': String(remaining),
      'anthropic-ratelimit-requests-reset': new Date(now.getTime() + resetSeconds * 1_000).toISOString(),
    };
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': `${resetSeconds}s`,
  };
}
