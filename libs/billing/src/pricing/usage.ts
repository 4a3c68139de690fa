import { byClass, isTokenCount, NO_TOKENS, type TokenCounts } from './token-counts';

/** What one call used, as far as it is billed. That there was a call at all is the one unit of its request fee. */
export interface Usage {
  readonly counts: TokenCounts;
  /** Searches of the web that the provider ran for it. */
  readonly webSearches: number;
  /** The provider's name of the tier it was served in; `null` is the standard one. */
  readonly serviceTier: string | null;
}

export const NO_USAGE: Usage = { counts: NO_TOKENS, webSearches: 0, serviceTier: null };

/** More searches than any call makes; beyond it a count is a lie or a defect. */
export const MAX_WEB_SEARCHES = 1_000_000;

const TIER = /^[a-z][a-z0-9_-]{0,31}$/;

/** Whether a name may be that of a service tier: short, in small letters. */
export const isServiceTier = (name: string): boolean => TIER.test(name);

/** What keeps something from being a usage, or undefined. */
export function malformedUsage({ counts, webSearches, serviceTier }: Usage): string | undefined {
  if (!counts || !byClass(counts).every(isTokenCount)) return 'a count is not a number of tokens';
  if (!Number.isInteger(webSearches) || webSearches < 0 || webSearches > MAX_WEB_SEARCHES)
    return 'its web searches are not a number';
  if (serviceTier !== null && !isServiceTier(String(serviceTier))) return 'its service tier is not a name';
  return undefined;
}
