import { createHash } from 'node:crypto';

/** Longest name of a person that is kept as it is, in characters. */
const MAX_NAME = 64;
/** One line without control characters, halves of characters, or blanks at its ends: what a budget can name. */
const NAME = /^(?!\s)[^\p{Cc}\p{Cs}\u2028\u2029]+(?<!\s)$/u;
const DIGEST_DIGITS = 32;

/**
 * Whom the caller says it acts for, as ledger and budgets keep it: a name, or the beginning of the SHA-256 of what cannot be
 * one, such as the JSON that some clients send.
 */
export function endUserOf(claim: string): string;
export function endUserOf(claim: string | null): string | null;
export function endUserOf(claim: string | null): string | null {
  if (claim === null || (claim.length <= MAX_NAME && NAME.test(claim))) return claim;
  return `sha256:${createHash('sha256').update(claim).digest('hex').slice(0, DIGEST_DIGITS)}`;
}
