import fc from 'fast-check';
import { checkThresholds, crossesPercent } from './thresholds';

test.each([
  [null, 0n, 5n, false],
  [100n, 0n, 1n, true],
  [100n, 1n, 1n, false],
  [1000n, 1n, 9n, false],
  [1000n, 9n, 10n, true],
  [1000n, 990n, 1000n, true],
  [1000n, 1000n, 2000n, false],
  [0n, 0n, 0n, false],
  [0n, 0n, 1n, true],
])('of a limit of %s, from %s to %s: %s', (limit, before, after, crossed) =>
  expect(crossesPercent({ limit, before, after })).toBe(crossed),
);

test('no threshold is crossed unseen', () =>
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 62n }),
      fc.bigInt({ min: 0n, max: 2n ** 62n }),
      fc.bigInt({ min: 0n, max: 2n ** 62n }),
      fc.bigInt({ min: 1n, max: 100n }),
      (limit, before, used, percent) => {
        const after = before + used;
        const isCrossed = before * 100n < limit * percent && after * 100n >= limit * percent;
        if (isCrossed) expect(crossesPercent({ limit, before, after })).toBe(true);
      },
    ),
  ));

test('thresholds rise', () => {
  expect(() => checkThresholds([])).not.toThrow();
  expect(() => checkThresholds([1, 50, 100])).not.toThrow();
  expect(() => checkThresholds([50, 50])).toThrow('must rise');
  expect(() => checkThresholds([80, 50])).toThrow('must rise');
});
