import type { Principal, RouteConfig } from '@app/platform';
import type { ModelRequest } from '../request/model-request';
import type { RequestFacts } from '../request/request-facts';
import { KeySet } from '../scan/key-set';
import { scanObject } from '../scan/request-scan';

/** How clients name the conversation a call belongs to: Claude Code, Codex. */
const SESSION_HEADERS = ['x-claude-code-session-id', 'session-id', 'thread-id'];
const CACHE_KEYS = new KeySet(['prompt_cache_key']);

/**
 * What calls have in common that are to go to the same target: nothing, their tenant, or their conversation, whose cached prompt the
 * target has. Of a client that names no conversation, its tenant's calls belong together.
 */
export function stickyKey(
  sticky: RouteConfig['sticky'],
  { tenantId }: Principal,
  { id, headers, body }: ModelRequest,
  { endUser }: RequestFacts,
): string {
  if (sticky === 'none') return id;
  if (sticky === 'tenant') return `${tenantId}`;
  const session = SESSION_HEADERS.map((name) => headers[name]).find((value) => typeof value === 'string');
  // A user id is the conversation's for Claude Code, which puts the session into it, and good enough for the others.
  return `${tenantId}\n${cacheKeyIn(body) ?? session ?? endUser ?? ''}`;
}

function cacheKeyIn(body: Buffer): string | null {
  const scanned = scanObject(body, CACHE_KEYS);
  const member = scanned.ok ? scanned.object.members.get('prompt_cache_key') : undefined;
  if (!member) return null;
  return body.toString('utf8', member.valueStart, member.valueEnd);
}
