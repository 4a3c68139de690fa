import fc from 'fast-check';
import { parseNanos } from '@app/platform';
import { exactDecimal } from './rate-file';

describe('exactDecimal', () => {
  it.each([
    ['1.5e-07', 6, '0.15'],
    ['3e-06', 6, '3.00'],
    ['0.00000027', 6, '0.27'],
    ['1.25E-5', 6, '12.50'],
    ['2.1875e-06', 6, '2.1875'],
    ['0', 6, '0.00'],
    ['0e5', 0, '0.00'],
    ['2.50', 0, '2.50'],
    ['1000000', 0, '1000000.00'],
    ['1e+2', 0, '100.00'],
    ['7e-15', 6, '0.000000007'],
  ])('%s shifted by %i is %s', (digits, shift, exact) => expect(exactDecimal(digits, shift)).toBe(exact));

  it.each([
    '3.0000000000000004e-07',
    '1e-16',
    '1.000000001',
    '1e999',
    '-1',
    '.5',
    '1.',
    '',
    '1,5',
    '0x1',
    '1e9999',
    'NaN',
  ])('%s per token is nothing a card can hold', (digits) => expect(exactDecimal(digits, 6)).toBeUndefined());

  it('keeps every amount that a card can hold, however its digits are written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.integer({ min: -12, max: 12 }), (nanos, shift) => {
        const exact = exactDecimal(`${nanos}e${-9 - shift}`, shift);
        expect(exact === undefined ? undefined : parseNanos(exact)).toBe(nanos);
      }),
    );
  });
});
