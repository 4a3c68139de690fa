import { randomBytes, randomFillSync } from 'node:crypto';

const POOL_IDS = 256;
const ID_BYTES = 10;
/** Behind twelve of the time and the version. */
const RANDOM_DIGITS = 19;
const pool = Buffer.alloc(POOL_IDS * ID_BYTES);
let digits = '';
let used = POOL_IDS;
let lastMs = -1;
let lastHex = '';

/**
 * 32 hex digits of a UUID version 7 (RFC 9562): sorted by creation time to the millisecond, 74 random bits.
 * Random digits are made in bulk because one draw per request is a system call per request.
 */
export function uuid7(now = Date.now()): string {
  if (used === POOL_IDS) {
    randomFillSync(pool);
    // Behind the twelve bits that follow the version, the two of the variant.
    for (let at = 1; at < pool.length; at += ID_BYTES) pool[at] = ((pool[at] as number) & 0xf3) | 0x08;
    digits = pool.toString('hex');
    used = 0;
  }
  const at = used++ * ID_BYTES * 2;
  if (now !== lastMs) {
    lastMs = now;
    lastHex = now.toString(16).padStart(12, '0');
  }
  return `${lastHex}7${digits.slice(at, at + RANDOM_DIGITS)}`;
}

/** An id people can tell apart by its prefix: `tok_0199…`, `req_0199…`. */
export const newId = (prefix: string): string => `${prefix}_${uuid7()}`;

/** A secret of 128 bits in hex, as tenant tokens and admin keys end with. */
export const newSecret = (): string => randomBytes(16).toString('hex');

/** The canonical text of a UUID, as PostgreSQL prints it. */
export const dashed = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
