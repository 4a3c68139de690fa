import { decrypt, encrypt } from '@app/platform';
import { randomBytes } from 'node:crypto';

const KEY_BYTES = 32;

export interface Envelope {
  /** The key of this entry, encrypted. */
  readonly wrappedKey: Buffer;
  readonly sealed: Buffer;
}

/**
 * Encrypts with a key made for this alone, and that with the given one (32 bytes). `context` is not kept: whoever opens the
 * envelope has to say the same.
 */
export function close(key: Buffer, context: string, plain: Buffer): Envelope {
  const own = randomBytes(KEY_BYTES);
  return { wrappedKey: encrypt(key, `key ${context}`, own), sealed: encrypt(own, `entry ${context}`, plain) };
}

/** @throws Error if anything of it was altered, or key or context are others */
export function open(key: Buffer, context: string, { wrappedKey, sealed }: Envelope): Buffer {
  return decrypt(decrypt(key, `key ${context}`, wrappedKey), `entry ${context}`, sealed);
}
