import type { IncomingHttpHeaders } from 'node:http';
import type { ProviderWire } from './wire';

/**
 * What of a client's request headers a provider gets to see: what its own APIs and tools speak, known today or not. What
 * the company's network adds (addresses, people, traces) stays here, as do credentials and cookies.
 */
const TO_PROVIDER = new Set(['accept', 'user-agent', 'x-app', 'originator', 'session-id', 'thread-id']);
const FAMILIES = ['anthropic-', 'openai-', 'x-stainless-', 'x-claude-code-', 'x-codex-'];

/** Whose account is charged, and where: the company decides that once. Nor what may hold a key, under a name of one of the families. */
const SELECTS_ACCOUNT = /organization|project|workspace|account|user-profile|api-?key|auth|cookie|secret/;

/**
 * What of a provider's response headers a client gets to see. Rate limits and organisation names describe the account
 * that all tenants share, cookies would tie tenants together, and encodings are settled between the two connections.
 */
const TO_CLIENT = new Set([
  'content-type',
  'request-id',
  'x-request-id',
  'openai-processing-ms',
  'openai-version',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
]);

/**
 * The provider's key comes later, at the door. The type is ours to say: a body was read as UTF-8, and who is told another encoding
 * (`charset=utf-7`) may read another body in the same bytes.
 */
export function headersToProvider(from: IncomingHttpHeaders, bodyBytes: number): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (const name in from) {
    const value = from[name];
    if (typeof value === 'string' && isForProvider(name)) headers[name] = value;
  }
  headers['accept-encoding'] = 'identity';
  headers['content-length'] = String(bodyBytes);
  return headers;
}

/** Of a request that is translated only its body says anything to the provider; the version is the one the translation writes. */
export function headersOfTranslation(
  { 'user-agent': agent }: IncomingHttpHeaders,
  wire: ProviderWire,
  bodyBytes: number,
): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'accept-encoding': 'identity' };
  if (agent !== undefined) headers['user-agent'] = agent;
  if (wire === 'messages') headers['anthropic-version'] = '2023-06-01';
  headers['content-length'] = String(bodyBytes);
  return headers;
}

/** Whether providers that speak the client's dialect get to see a header. */
export const isForProvider = (name: string): boolean =>
  TO_PROVIDER.has(name) || (FAMILIES.some((family) => name.startsWith(family)) && !SELECTS_ACCOUNT.test(name));

export function headersToClient(
  from: Readonly<Record<string, string | string[] | undefined>>,
  requestId: string,
): Record<string, string> {
  const headers: Record<string, string> = { 'x-openclawmu-request-id': requestId };
  for (const name in from) {
    const value = from[name];
    if (TO_CLIENT.has(name) && value !== undefined)
      headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  headers['cache-control'] = 'no-store';
  return headers;
}

/** The provider's own id of a request, for its support desk. */
export function providerRequestId(headers: Readonly<Record<string, string | string[] | undefined>>): string | null {
  const id = headers['request-id'] ?? headers['x-request-id'];
  return typeof id === 'string' && id.length <= 128 ? id : null;
}

export function isEventStream(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  const type = headers['content-type'];
  return typeof type === 'string' && /^text\/event-stream/i.test(type);
}
