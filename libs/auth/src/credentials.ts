import type { IncomingHttpHeaders } from 'node:http';
import { CodedError } from '@app/platform';

const BEARER = /^bearer +(\S+) *$/i;

/**
 * The key a request shows, from `Authorization: Bearer` or `x-api-key`; clients of the two model APIs use either, some both.
 * @throws CodedError `credentials_missing`, `credentials_invalid`
 */
export function presentedKey(headers: IncomingHttpHeaders): string {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  const bearer = authorization ? bearerOf(authorization) : null;
  if (typeof apiKey !== 'string' || apiKey === '') {
    if (bearer === null) throw new CodedError('credentials_missing');
    return bearer;
  }
  if (bearer !== null && bearer !== apiKey)
    throw new CodedError('credentials_invalid', 'Authorization and x-api-key hold different keys; send one of them.');
  return apiKey;
}

/** @param authorization the header's value; of a header that came several times, all of them with commas in between */
function bearerOf(authorization: string): string {
  if (authorization.startsWith('Bearer ') && authorization.length > 7 && !authorization.includes(' ', 7))
    return authorization.slice(7);
  const [key, ...others] = new Set(authorization.split(/, (?=bearer )/i).map((each) => BEARER.exec(each)?.[1]));
  if (others.length > 0)
    throw new CodedError('credentials_invalid', 'Several Authorization headers hold different keys; send one of them.');
  if (key === undefined)
    throw new CodedError(
      'credentials_invalid',
      'The Authorization header is not of the form "Bearer …": the word Bearer, a blank, and the key.',
    );
  return key;
}
