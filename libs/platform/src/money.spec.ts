import * as fc from 'fast-check';
import { formatNanos, NANOS_PER_UNIT, parseNanos } from './money';

describe('amounts as text', () => {
  it.each([
    [0n, '0.00'],
    [1n, '0.000000001'],
    [-1n, '-0.000000001'],
    [75n, '0.000000075'],
    [12_500_000_000n, '12.50'],
    [-12_500_000_000n, '-12.50'],
    [100_000_000n, '0.10'],
    [1_001_000_000n, '1.001'],
    [NANOS_PER_UNIT * 1_000n, '1000.00'],
    [2n ** 80n, '1208925819614629.174706176'],
  ])('%s nanos are %s', (nanos, text) => expect(formatNanos(nanos)).toBe(text));

  it.each([
    ['12.5', 12_500_000_000n],
    ['12.50', 12_500_000_000n],
    ['007', 7n * NANOS_PER_UNIT],
    ['-0', 0n],
    ['-0.000000001', -1n],
    [' 1 ', NANOS_PER_UNIT],
    ['9'.repeat(18), 999_999_999_999_999_999n * NANOS_PER_UNIT],
  ])('%j is %s nanos', (text, nanos) => expect(parseNanos(text)).toBe(nanos));

  it.each([
    ...['', ' ', '-', '.', '.5', '5.', '+1', '--1', '1,5', '1_000', '1 000', '1e3', '0x10', '1n', 'NaN', 'Infinity'],
    ...['0.0000000001', '9'.repeat(19), '١٢', '1.5\n2', '1.5.5', '$1', '1 €'],
  ])('%j is no amount', (text) => expect(() => parseNanos(text)).toThrow(RangeError));

  it('come back exactly, whatever the amount', () => {
    const largest = 10n ** 27n - 1n;
    fc.assert(
      fc.property(fc.bigInt({ min: -largest, max: largest }), (nanos) => {
        expect(parseNanos(formatNanos(nanos))).toBe(nanos);
      }),
    );
  });

  it('are plain decimals with 2 to 9 places', () => {
    fc.assert(fc.property(fc.bigInt(), (nanos) => expect(formatNanos(nanos)).toMatch(/^-?(0|[1-9]\d*)\.\d{2,9}$/)));
  });

  it('have one form each: what is parsed and told again has no other', () => {
    const decimal = fc
      .tuple(fc.nat(), fc.stringMatching(/^\d{1,9}$/))
      .map(([whole, fraction]) => `${whole}.${fraction}`);
    fc.assert(
      fc.property(decimal, (text) => {
        const told = formatNanos(parseNanos(text));
        expect(Number(told)).toBe(Number(text));
        expect(formatNanos(parseNanos(told))).toBe(told);
      }),
    );
  });
});
