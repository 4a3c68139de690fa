import fc from 'fast-check';
import { aheadOf, chunk } from './chunk';

const amount = fc.bigInt({ min: 0n, max: 10n ** 15n });
const wish = fc.tuple(amount, amount, amount).map(([need, more, ahead]) => ({ need, waiting: need + more, ahead }));

describe('chunk', () => {
  test('refuses exactly when the need does not fit, and never gives more than there is', () => {
    fc.assert(
      fc.property(amount, wish, (left, asked) => {
        const given = chunk(left, asked);
        expect(given === null).toBe(left < asked.need);
        if (given === null) return;
        expect(given).toBeGreaterThanOrEqual(asked.need);
        expect(given).toBeLessThanOrEqual(left);
        expect(given).toBeLessThanOrEqual(asked.waiting + asked.ahead);
      }),
    );
  });

  test('gives all that is waited for while it lasts, and ahead of that only an eighth of the rest', () => {
    expect(chunk(100n, { need: 1n, waiting: 200n, ahead: 50n })).toBe(100n);
    expect(chunk(100n, { need: 1n, waiting: 20n, ahead: 1_000n })).toBe(30n);
    expect(chunk(100n, { need: 1n, waiting: 20n, ahead: 3n })).toBe(23n);
  });

  test('is whatever is asked for where there is no limit', () => {
    expect(chunk(null, { need: 5n, waiting: 7n, ahead: 40n })).toBe(47n);
  });

  test('a request that costs nothing fits into nothing', () => {
    expect(chunk(0n, { need: 0n, waiting: 0n, ahead: 0n })).toBe(0n);
  });

  test('asks further ahead while refills follow each other, and less far when they do not', () => {
    expect(aheadOf(0n, 10n, Infinity)).toBe(320n);
    expect(aheadOf(320n, 10n, 50)).toBe(640n);
    expect(aheadOf(640n, 10n, 50)).toBe(1_280n);
    expect(aheadOf(1_280n, 10n, 5_000)).toBe(640n);
    expect(aheadOf(400n, 10n, 5_000)).toBe(320n);
  });

  test('stays within some thousand requests, however long refills follow each other fast', () => {
    let ahead = 0n;
    for (let refill = 0; refill < 100; refill++) ahead = aheadOf(ahead, 10n, 50);
    expect(ahead).toBe(40_960n);
    expect(aheadOf(ahead, 1n, 50)).toBe(4_096n);
  });
});
