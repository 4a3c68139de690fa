import { CodedError } from '@app/platform';
import { parseExact } from './exact-json';
import { record, type Json } from './json';

/** What would silently mean something else at the provider. */
export const notExpressible = (what: string): CodedError =>
  new CodedError('not_expressible', `The provider of this model has no way to express ${what}.`);

/** What the provider wrote is not of its own dialect. */
export const unreadable = (why: string): CodedError =>
  new CodedError('provider_error', `The provider's answer ${why}.`);

export function bodyOf(body: Buffer): Json {
  try {
    const parsed = record(parseExact(body.toString('utf8')));
    if (parsed) return parsed;
  } catch {
    // told below
  }
  throw new CodedError('body_malformed');
}
