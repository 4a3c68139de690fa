import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

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

/** Nonce, tag, and what is encrypted. */
function encrypt(key: Buffer, context: string, plain: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context, 'utf8'));
  const parts = [cipher.update(plain), cipher.final()];
  return Buffer.concat([nonce, cipher.getAuthTag(), ...parts]);
}

function decrypt(key: Buffer, context: string, bytes: Buffer): Buffer {
  const [nonce, tag] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)];
  const cipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context, 'utf8')).setAuthTag(tag);
  return Buffer.concat([cipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), cipher.final()]);
}
