import fc from 'fast-check';
import { Attempts, type Failure } from './attempts';

const failure = (fields: Partial<Failure> = {}): Failure => ({
  ...{ retryAfterMs: null, mayRepeat: true, atOnce: false },
  ...fields,
});
const ready = (): number => 0;
const attempts = (candidates: number, retries = 5, retryMs = 10_000): Attempts =>
  new Attempts(candidates, { retries, retryMs }, 0, () => 1);

test('goes to the next candidate at once, and round again after a pause that doubles', () => {
  const tried = attempts(2);
  tried.failed(0, failure(), 0);
  expect(tried.next(0, ready)).toEqual({ index: 1, waitMs: 0 });
  tried.failed(1, failure(), 100);
  expect(tried.next(100, ready)).toEqual({ index: 0, waitMs: 150 });
  tried.failed(0, failure(), 300);
  expect(tried.next(300, ready)).toEqual({ index: 1, waitMs: 50 });
  tried.failed(1, failure(), 400);
  expect(tried.next(400, ready)).toEqual({ index: 0, waitMs: 400 });
});

test('waits as long as a provider asks for, unless that is too long', () => {
  const tried = attempts(1);
  tried.failed(0, failure({ retryAfterMs: 3_000 }), 1_000);
  expect(tried.next(1_000, ready)).toEqual({ index: 0, waitMs: 3_000 });
  tried.failed(0, failure({ retryAfterMs: 9_000 }), 4_000);
  expect(tried.next(4_000, ready)).toBeNull();
});

test('ends when no attempt is left, or none may be made', () => {
  const once = attempts(2, 1);
  once.failed(0, failure(), 0);
  expect(once.next(0, ready)).toEqual({ index: 1, waitMs: 0 });
  once.failed(1, failure(), 0);
  expect(once.next(0, ready)).toBeNull();
  const refused = attempts(1);
  refused.failed(0, failure({ mayRepeat: false }), 0);
  expect(refused.next(0, ready)).toBeNull();
});

test('asks the same candidate at once with another key, and counts that as no attempt', () => {
  const tried = attempts(1, 0);
  tried.failed(0, failure({ retryAfterMs: 5_000, atOnce: true }), 0);
  expect(tried.next(0, ready)).toEqual({ index: 0, waitMs: 0 });
});

test('passes over a provider that is not asked for a while', () => {
  const tried = attempts(3);
  tried.failed(0, failure(), 0);
  expect(tried.next(0, (index) => (index === 1 ? 5_000 : 0))).toEqual({ index: 2, waitMs: 0 });
});

test('whatever happens: no more attempts than allowed, none too late, none before a provider wants it', () => {
  const fails = fc.array(
    fc.record({
      retryAfterMs: fc.option(fc.nat(4_000)),
      mayRepeat: fc.boolean(),
      tookMs: fc.nat(500),
    }),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(8),
      fc.nat(8_000),
      fails,
      fc.float({ min: 0, max: 1, noNaN: true }),
      (candidates, retries, retryMs, all, random) => {
        const tried = new Attempts(candidates, { retries, retryMs }, 0, () => random);
        const notBefore = Array.from({ length: candidates }, () => 0);
        let [now, index, made] = [0, 0, 0];
        for (const { tookMs, ...fail } of all) {
          now += tookMs;
          made++;
          notBefore[index] = fail.mayRepeat ? now + (fail.retryAfterMs ?? 0) : Infinity;
          tried.failed(index, { ...fail, atOnce: false }, now);
          const next = tried.next(now, ready);
          if (next === null) {
            const soonest = Math.min(...notBefore);
            if (made <= retries) expect(soonest + 8_000).toBeGreaterThan(Math.min(retryMs, now));
            return;
          }
          expect(made).toBeLessThanOrEqual(retries);
          now += next.waitMs;
          index = next.index;
          expect(now).toBeLessThanOrEqual(retryMs);
          expect(now).toBeGreaterThanOrEqual(notBefore[index] as number);
        }
      },
    ),
  );
});
