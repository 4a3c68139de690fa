import { createHmac } from 'node:crypto';
import type { Secret } from '@app/platform';

const PREFIX = 'whsec_';

/**
 * The headers of Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
 * `webhook-signature` holds, for each secret, `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, parted by
 * blanks. A receiver takes the notice if any of them is right, so that a secret can be replaced while notices are on their way.
 *
 * @param id the same at every attempt, so that a receiver can drop repeats
 * @param secrets `whsec_` and base64
 * @param at when this attempt is made; receivers refuse what is old
 */
export function signatureHeaders(
  id: string,
  body: string,
  secrets: readonly Secret[],
  at: Date,
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const seconds = String(Math.floor(at.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.reveal().slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signatures.join(' ') };
}
