import fc from 'fast-check';
import { matchesPattern } from '@app/platform';
import { commonPatterns, coveredBy } from './model-patterns';

const name = fc.stringMatching(/^[ab]{1,4}$/);
const pattern = fc
  .tuple(fc.stringMatching(/^[ab]{0,3}$/), fc.boolean())
  .map(([text, open]) => (open ? `${text}*` : text));
const list = fc.option(fc.array(pattern, { maxLength: 4 }));
const allows = (patterns: readonly string[] | null, model: string): boolean =>
  patterns === null || patterns.some((one) => matchesPattern(one, model));

test('the common patterns allow what both lists allow, and nothing else', () => {
  fc.assert(
    fc.property(list, list, name, (a, b, model) => {
      expect(allows(commonPatterns(a, b), model)).toBe(allows(a, model) && allows(b, model));
    }),
  );
});

test('a list that allows all is no limit, an empty one allows nothing', () => {
  expect(commonPatterns(null, null)).toBeNull();
  expect(commonPatterns(null, ['claude-*'])).toEqual(['claude-*']);
  expect(commonPatterns(['claude-*'], [])).toEqual([]);
});

test('a pattern is covered by itself and by wider ones only', () => {
  expect(coveredBy('claude-sonnet', ['claude-*'])).toBe(true);
  expect(coveredBy('claude-*', ['claude-*'])).toBe(true);
  expect(coveredBy('claude-*', ['claude-sonnet'])).toBe(false);
  expect(coveredBy('*', ['claude-*', 'gpt-*'])).toBe(false);
});
