import fc from 'fast-check';
import { leastLimit, payableLimit } from './clamp';

test('the least leaves room beside what is thought, and is below what was asked for', () => {
  expect(leastLimit(1_000, 0)).toBe(256);
  expect(leastLimit(20_000, 16_000)).toBe(16_256);
  expect(leastLimit(256, 0)).toBeNull();
  expect(leastLimit(16_256, 16_000)).toBeNull();
});

test('the limit is the largest that is payable', () => {
  const cases = fc.tuple(fc.nat(5_000), fc.integer({ min: 1, max: 100_000 }), fc.nat(120_000));
  fc.assert(
    fc.property(cases, ([least, more, payable]) => {
      const asked = least + more;
      const found = payableLimit(least, asked, (tokens) => tokens <= payable);
      expect(found).toBe(payable < least ? null : Math.min(payable, asked - 1));
    }),
  );
});
