import { isProvidersFault, mayBeSentAgain, retryAfterMs } from './failure';

const now = new Date('2026-11-26T12:00:00Z');

test.each<[Record<string, string>, number | null]>([
  [{}, null],
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
  [{ 'retry-after-ms': '20.5' }, 20.5],
  [{ 'retry-after': 'Thu, 26 Nov 2026 12:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Thu, 26 Nov 2026 11:00:00 GMT' }, 0],
  [{ 'retry-after': '-5' }, null],
  [{ 'retry-after': 'soon' }, null],
  [{ 'retry-after': '1e9' }, null],
])('%j asks for a wait of %p ms', (headers, ms) => expect(retryAfterMs(headers, now)).toBe(ms));

test.each([
  ...[408, 429, 500, 502, 503, 504, 529, 401, 403].map((status) => [status, true] as const),
  ...[200, 302, 400, 404, 409, 413, 422, 501].map((status) => [status, false] as const),
])('after %i a request may be sent again: %p', (status, again) => expect(mayBeSentAgain(status)).toBe(again));

test('a provider is not blamed for keys, limits and requests', () => {
  expect([401, 403, 408, 429, 400, 501].filter(isProvidersFault)).toEqual([]);
  expect([500, 502, 503, 529].every(isProvidersFault)).toBe(true);
});
