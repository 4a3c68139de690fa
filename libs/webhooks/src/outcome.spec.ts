import fc from 'fast-check';
import { judge, MOST_ATTEMPTS, type Answer } from './outcome';

const NOW = new Date('2026-11-22T11:00:00Z');
const HOUR_MS = 3_600_000;
const after = (answer: Answer, attempts = 1, random = 0.5) => judge(answer, attempts, NOW, random);

test.each([200, 201, 202, 204, 299])('%d is a delivery', (status) =>
  expect(after({ status })).toEqual({ state: 'delivered', status }),
);

test.each([199, 301, 302, 307, 308, 400, 401, 404, 408, 429, 500, 503])('%d is tried again', (status) =>
  expect(after({ status })).toEqual({ state: 'pending', status, error: `answered ${status}`, delayMs: 5_000 }),
);

test('no answer is tried again', () =>
  expect(after({ status: null, error: 'ECONNREFUSED' })).toEqual({
    state: 'pending',
    status: null,
    error: 'ECONNREFUSED',
    delayMs: 5_000,
  }));

test('410 is the end, and so is the last attempt', () => {
  expect(after({ status: 410 })).toMatchObject({ state: 'dead', status: 410 });
  expect(after({ status: 500 }, MOST_ATTEMPTS - 1)).toMatchObject({ state: 'pending' });
  expect(after({ status: 500 }, MOST_ATTEMPTS)).toMatchObject({ state: 'dead', error: 'answered 500' });
  expect(after({ status: 200 }, MOST_ATTEMPTS)).toMatchObject({ state: 'delivered' });
});

test('all attempts together take a day and a bit', () => {
  const delays = Array.from({ length: MOST_ATTEMPTS - 1 }, (_, n) => after({ status: 500 }, n + 1));
  const total = delays.reduce((sum, outcome) => sum + (outcome.state === 'pending' ? outcome.delayMs : NaN), 0);
  expect(Math.round(total / HOUR_MS)).toBe(26);
});

test.each([
  ['0', 5_000],
  ['3', 5_000],
  ['120', 120_000],
  ['Sun, 22 Nov 2026 12:00:00 GMT', HOUR_MS],
  ['Sun, 22 Nov 2026 10:00:00 GMT', 5_000],
  ['999999999', 24 * HOUR_MS],
  ['soon', 5_000],
  ['-5', 5_000],
])('Retry-After: %s', (retryAfter, delayMs) => expect(after({ status: 503, retryAfter })).toMatchObject({ delayMs }));

test('whatever is met, a pending notice waits between 4 s and 24 h', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      fc.option(fc.string(), { nil: undefined }),
      fc.integer({ min: 1, max: MOST_ATTEMPTS }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (status, retryAfter, attempts, random) => {
        const outcome = after({ status, retryAfter }, attempts, random);
        if (outcome.state !== 'pending') return;
        expect(outcome.delayMs).toBeGreaterThanOrEqual(4_000);
        expect(outcome.delayMs).toBeLessThanOrEqual(24 * HOUR_MS);
      },
    ),
  ));
