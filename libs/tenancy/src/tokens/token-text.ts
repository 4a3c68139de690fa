import { createHash, hash as oneShotHash } from 'node:crypto';
import { newSecret } from '@app/platform';

/** The tenant is the text between the first and the last underscore, because 32 hex digits hold none. */
const TOKEN = /^tk_([a-z0-9][a-z0-9_-]{0,31})_[0-9a-f]{32}$/;

/** The tenant a token claims to be of, or `null` if it is no token at all. Says nothing about whether it is valid. */
export const claimedTenant = (token: string): string | null => TOKEN.exec(token)?.[1] ?? null;

/** Makes the text that is shown once and never stored. */
export const newTokenText = (tenantId: string): string => `tk_${tenantId}_${newSecret()}`;

/** What people recognise a token by. */
export const hintOf = (token: string): string => token.slice(-4);

/**
 * SHA-256 in hex, which is all that is kept of a token: 128 random bits need no slow hash. The one-shot function takes a
 * third of the time of a hash object, but Node 20 has it only since 20.12.
 */
export const tokenHash: (token: string) => string =
  typeof oneShotHash === 'function'
    ? (token) => oneShotHash('sha256', token, 'hex')
    : (token) => createHash('sha256').update(token).digest('hex');
