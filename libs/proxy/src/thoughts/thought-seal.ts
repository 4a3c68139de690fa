import { decrypt, encrypt, type EncryptionKey } from '@app/platform';
import { createHash, hkdfSync } from 'node:crypto';
import type { SignedThought } from './signed-thought';

/** What stands in the place of a signature begins so; the number is that of the form of the rest. */
export const SEALED_THOUGHT = 'openclawmu:thought:1:';

/** A thought as the provider wrote and signed it. */
export interface SealedThought extends SignedThought {
  /** Who takes it back, see `familyOf`. */
  readonly family: string;
}

export type OpenedThought =
  | { readonly ok: true; readonly thought: SealedThought }
  | { readonly ok: false; readonly code: 'thought_altered' | 'thought_foreign' };

interface Content extends SealedThought {
  /** Digest of the texts that the client was told. */
  readonly told: string;
}

/** The length of what is sealed would tell that of what was masked, so it is made up to a multiple of this. */
const STEP_BYTES = 256;
const FORM = /^openclawmu:thought:1:([A-Za-z0-9_.-]+):([A-Za-z0-9_-]+)$/;

/**
 * Seals a thought for a tenant: `openclawmu:thought:1:KEY:`, then base64url of nonce, tag and what is encrypted, by a key that is
 * derived from the given one for that tenant alone.
 * @param told the texts as the tenant gets them, without which the seal is of no use
 */
export function sealThought(
  key: EncryptionKey,
  tenantId: string,
  thought: SealedThought,
  told: readonly string[],
): string {
  const content: Content = { ...thought, told: digestOf(told) };
  const plain = Buffer.from(JSON.stringify(content));
  const padding = Buffer.alloc(STEP_BYTES - (plain.length % STEP_BYTES), ' ');
  const sealed = encrypt(keyOf(key, tenantId), contextOf(key.id, tenantId), plain, padding);
  return `${SEALED_THOUGHT}${key.id}:${sealed.toString('base64url')}`;
}

/**
 * Opens what {@link sealThought} made. A seal of another tenant's, one by a key that is not there and a damaged one are told apart by
 * nothing; only whoever has a seal of its own learns that the texts beside it are others.
 * @param told the texts that came back with it
 */
export function openThought(
  keys: readonly EncryptionKey[],
  tenantId: string,
  sealed: string,
  told: readonly string[],
): OpenedThought {
  const [, id, base64 = ''] = FORM.exec(sealed) ?? [];
  const key = keys.find((one) => one.id === id);
  const bytes = Buffer.from(base64, 'base64url');
  // The last character may have bits that say nothing.
  const content = key && bytes.toString('base64url') === base64 ? contentOf(key, tenantId, bytes) : null;
  if (content === null) return { ok: false, code: 'thought_foreign' };
  const { told: digest, ...thought } = content;
  return digest === digestOf(told) ? { ok: true, thought } : { ok: false, code: 'thought_altered' };
}

function contentOf(key: EncryptionKey, tenantId: string, sealed: Buffer): Content | null {
  try {
    const plain = decrypt(keyOf(key, tenantId), contextOf(key.id, tenantId), sealed);
    return JSON.parse(plain.toString('utf8')) as Content;
  } catch {
    return null;
  }
}

/** A long conversation has many seals of one key. */
const DERIVED = new WeakMap<EncryptionKey, Map<string, Buffer>>();

function keyOf(key: EncryptionKey, tenantId: string): Buffer {
  const derived = DERIVED.get(key) ?? new Map<string, Buffer>();
  DERIVED.set(key, derived);
  let own = derived.get(tenantId);
  if (own) return own;
  const bytes = Buffer.from(key.key.reveal(), 'base64');
  own = Buffer.from(hkdfSync('sha256', bytes, '', `openclawmu thought ${tenantId}`, 32));
  derived.set(tenantId, own);
  return own;
}

const contextOf = (keyId: string, tenantId: string): string => JSON.stringify([SEALED_THOUGHT, keyId, tenantId]);

const digestOf = (texts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(texts)).digest('base64');
