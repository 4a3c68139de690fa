import { allowedModels, amount, instant, models, moment, month, positiveInteger, seconds } from './values';

describe('values of options', () => {
  it.each([
    ['45s', 45],
    ['30m', 1_800],
    ['24h', 86_400],
    ['7d', 604_800],
    ['2w', 1_209_600],
  ])('reads the duration %s', (text, expected) => expect(seconds(text)).toBe(expected));

  it('reads a moment as a time from now, a day or an instant', () => {
    expect(moment('90d', new Date('2026-11-22T10:00:00Z'))).toBe('2027-02-20T10:00:00.000Z');
    expect(moment('2026-11-30')).toBe('2026-11-30T00:00:00.000Z');
    expect(instant('2026-11-30T10:00:00+01:00')).toBe('2026-11-30T09:00:00.000Z');
    expect(instant('2028-02-29T23:30:00-01:00')).toBe('2028-03-01T00:30:00.000Z');
  });

  it('reads lists of models', () => {
    expect(models('claude-*, gpt-5,')).toEqual(['claude-*', 'gpt-5']);
    expect(allowedModels(models('all'))).toBeNull();
    expect(allowedModels(undefined)).toBeUndefined();
  });

  it.each([
    [seconds, '5'],
    [seconds, '5y'],
    [instant, '2026-11-30T10:00'],
    [instant, '30.11.2026'],
    [instant, '2026-13-01'],
    [instant, '2026-11-31'],
    [instant, '2026-02-29T10:00:00+01:00'],
    [moment, '2027-02-29'],
    [month, '2026-13'],
    [month, '2026'],
    [amount, '1e3'],
    [amount, '-5'],
    [amount, '1,50'],
    [amount, '0.1234567891'],
    [positiveInteger, '0'],
    [positiveInteger, '1.5'],
  ] as const)('%p refuses %s', (read, text) => expect(() => read(text)).toThrow(/^Give /));
});
