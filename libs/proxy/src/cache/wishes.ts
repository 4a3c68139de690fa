import type { IncomingHttpHeaders } from 'node:http';
import type { RequestFacts } from '../request/request-facts';

/** Whether a kept answer may be given, and whether the answer may be kept. */
export interface Wishes {
  readonly read: boolean;
  readonly write: boolean;
}

const NEITHER: Wishes = { read: false, write: false };
const BOTH: Wishes = { read: true, write: true };
const ANEW: Wishes = { read: false, write: true };

/**
 * What a caller wants of the cache, by the `cache-control` of its request (RFC 9111, 5.2.1). What is looked up while an answer is made
 * is asked for to be new, so such requests have nothing to do with it.
 */
export function wishesOf({ 'cache-control': control }: IncomingHttpHeaders, { searches }: RequestFacts): Wishes {
  if (searches.length > 0) return NEITHER;
  if (control === undefined) return BOTH;
  const directives = control.split(',').map((directive) => directive.trim().toLowerCase());
  if (directives.includes('no-store')) return NEITHER;
  return directives.some((directive) => /^(no-cache|max-age=0)$/.test(directive)) ? ANEW : BOTH;
}
