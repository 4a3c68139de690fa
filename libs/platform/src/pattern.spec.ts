import * as fc from 'fast-check';
import { bestMatch, matchesPattern } from './pattern';

describe('matchesPattern', () => {
  it.each([
    ['gpt-5', 'gpt-5', true],
    ['gpt-5', 'gpt-5-mini', false],
    ['gpt-5*', 'gpt-5', true],
    ['gpt-5*', 'gpt-5-mini', true],
    ['gpt-5*', 'gpt-4', false],
    ['*', 'anything', true],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a*c', 'abc', false],
    ['a.c', 'abc', false],
    ['GPT-5', 'gpt-5', false],
  ])('%j and %j: %s', (pattern, name, matches) => expect(matchesPattern(pattern, name)).toBe(matches));
});

describe('bestMatch', () => {
  it('prefers the exact name, then the longest prefix', () => {
    const patterns = ['*', 'claude-*', 'claude-opus*', 'claude-opus-4'];
    const entries = new Map(patterns.map((pattern) => [pattern, pattern]));
    expect(bestMatch(entries, 'claude-opus-4')).toBe('claude-opus-4');
    expect(bestMatch(entries, 'claude-opus-4-1')).toBe('claude-opus*');
    expect(bestMatch(entries, 'claude-haiku')).toBe('claude-*');
    expect(bestMatch(entries, 'gpt-5')).toBe('*');
  });

  it('finds nothing where nothing matches', () => {
    expect(bestMatch(new Map([['gpt-5', 1]]), 'gpt-5-mini')).toBeUndefined();
    expect(bestMatch(new Map(), '')).toBeUndefined();
  });

  it('keeps values that look like nothing', () => {
    expect(
      bestMatch(
        new Map([
          ['a', 0],
          ['*', 1],
        ]),
        'a',
      ),
    ).toBe(0);
    expect(
      bestMatch(
        new Map([
          ['a*', ''],
          ['*', 'x'],
        ]),
        'ab',
      ),
    ).toBe('');
  });

  it('agrees with trying every pattern', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 5 });
    const pattern = fc.oneof(
      word,
      word.map((prefix) => `${prefix}*`),
    );
    fc.assert(
      fc.property(fc.uniqueArray(pattern), word, (patterns, name) => {
        const matching = patterns.filter((each) => matchesPattern(each, name));
        const longest = matching.toSorted((a, b) => b.length - a.length)[0];
        const expected = matching.includes(name) ? name : longest;
        expect(bestMatch(new Map(patterns.map((each) => [each, each])), name)).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });
});
