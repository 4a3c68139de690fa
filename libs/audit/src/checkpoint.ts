import { createHash, sign, verify, type KeyObject } from 'node:crypto';
import type { Position } from './chain';

/** A signed statement: "at this time the chain's last record was this one". */
export interface Checkpoint extends Position {
  readonly time: string;
  readonly keyId: string;
  /** Ed25519 over `statement`, in base64. */
  readonly signature: string;
}

export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The first 16 hex digits of the SHA-256 of the public key (SPKI, DER). */
export const keyIdOf = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

/** The text that is signed: one value per line, so that anybody can rebuild it with `printf`. */
const statement = ({ seq, time, hash, keyId }: Omit<Checkpoint, 'signature'>): Buffer =>
  Buffer.from(`openclawmu audit checkpoint\n${seq}\n${time}\n${hash}\n${keyId}\n`);

export function signCheckpoint(key: SigningKey, { seq, hash }: Position, now: Date): Checkpoint {
  const unsigned = { seq, time: now.toISOString(), hash, keyId: key.id };
  return { ...unsigned, signature: sign(null, statement(unsigned), key.privateKey).toString('base64') };
}

/** Whether the holder of this key made this checkpoint. */
export const isGenuine = (checkpoint: Checkpoint, publicKey: KeyObject): boolean =>
  checkpoint.keyId === keyIdOf(publicKey) &&
  verify(null, statement(checkpoint), publicKey, Buffer.from(checkpoint.signature, 'base64'));

/** Reads a line of `checkpoints.jsonl`; `null` if it is none. */
export function readCheckpoint(line: string): Checkpoint | null {
  try {
    const { seq, time, hash, keyId, signature } = JSON.parse(line) as Checkpoint;
    const texts = [time, hash, keyId, signature].every((text) => typeof text === 'string');
    return Number.isSafeInteger(seq) && texts ? { seq, time, hash, keyId, signature } : null;
  } catch {
    return null;
  }
}
