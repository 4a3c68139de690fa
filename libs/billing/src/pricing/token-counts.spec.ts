import { byClass, NO_TOKENS, TOKEN_CLASSES } from './token-counts';

test.each(TOKEN_CLASSES.map((tokenClass, place) => [tokenClass, place] as const))(
  'the count of %s stands where the class does',
  (tokenClass, place) => expect(byClass({ ...NO_TOKENS, [tokenClass]: 1 }).indexOf(1)).toBe(place),
);
