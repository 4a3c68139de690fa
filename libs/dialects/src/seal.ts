import type { ProviderFormat } from './format';

/**
 * What a provider wants back unharmed beside a thought: a signature, encrypted content, a thought signature. Only the
 * wire format it came from can make use of it. `redacted` is a thought of Anthropic's that is nothing but its seal.
 */
export interface Seal {
  readonly from: ProviderFormat | 'redacted';
  readonly data: string;
}

const PREFIX = 'openclawmu:';
const KINDS: readonly string[] = ['chat', 'responses', 'messages', 'gemini', 'redacted'] satisfies Seal['from'][];

/**
 * A seal as a client of another dialect keeps it: in the one opaque field its own dialect has for that, behind the name
 * of where it came from. A seal of the client's own dialect stays as it is.
 */
export const pack = (seal: Seal, client: Seal['from']): string =>
  seal.from === client ? seal.data : `${PREFIX}${seal.from}:${seal.data}`;

/** What {@link pack} made, or what the client's own dialect wrote there; null where nothing is. */
export function unpack(packed: string | undefined, client: Seal['from']): Seal | null {
  if (packed === undefined || packed === '') return null;
  if (!packed.startsWith(PREFIX)) return { from: client, data: packed };
  const [from = ''] = packed.slice(PREFIX.length).split(':', 1);
  if (!KINDS.includes(from)) return null;
  return { from: from as Seal['from'], data: packed.slice(PREFIX.length + from.length + 1) };
}

/** Whose seal it is that a client of a dialect has; null where it is nobody's. */
export const sealOrigin = (packed: string, client: Seal['from']): Seal['from'] | null =>
  unpack(packed, client)?.from ?? null;
