import { randomBytes, randomFillSync } from 'node:crypto';

const POOL_IDS = 256;
/** What the two random bits of this digit make, behind the two that are fixed. */
const VARIANTS = ['8', '9', 'a', 'b'] as const;
const pool = Buffer.alloc(POOL_IDS * 10);
let used = POOL_IDS;
let lastMs = -1;
let lastHex = '';

/**
 * 32 hex digits of a UUID version 7 (RFC 9562): sorted by creation time to the millisecond, 74 random bits.
 * Random bytes are drawn in bulk because one draw per request is a system call per request.
 */
export function uuid7(now = Date.now()): string {
  if (used === POOL_IDS) {
    randomFillSync(pool);
    used = 0;
  }
  const offset = used++ * 10;
  const random = pool.toString('hex', offset, offset + 10);
  if (now !== lastMs) {
    lastMs = now;
    lastHex = now.toString(16).padStart(12, '0');
  }
  const variant = VARIANTS[(pool[offset + 1] as number) & 0x3] as string;
  return `${lastHex}7${random.slice(0, 3)}${variant}${random.slice(4, 19)}`;
}

/** An id people can tell apart by its prefix: `tok_0199…`, `req_0199…`. */
export const newId = (prefix: string): string => `${prefix}_${uuid7()}`;

/** A secret of 128 bits in hex, as tenant tokens and admin keys end with. */
export const newSecret = (): string => randomBytes(16).toString('hex');

/** The canonical text of a UUID, as PostgreSQL prints it. */
export const dashed = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
