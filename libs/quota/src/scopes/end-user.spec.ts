import { createHash } from 'node:crypto';
import { endUserOf } from './end-user';

describe('whom a caller says it acts for', () => {
  it.each(['alice', 'alice@example.com', 'Ada Lovelace', 'Zoë', 'a'.repeat(64), '*'])('is kept as it is: %j', (name) =>
    expect(endUserOf(name)).toBe(name),
  );

  it.each(['a'.repeat(65), 'a\nb', 'a\u0000', ' a', 'a ', '\ud800', 'a\u2028b'])(
    'is kept as a digest if it is no name: %j',
    (claim) => {
      const digest = createHash('sha256').update(claim).digest('hex').slice(0, 32);
      expect(endUserOf(claim)).toBe(`sha256:${digest}`);
      expect(endUserOf(endUserOf(claim))).toBe(`sha256:${digest}`);
    },
  );

  it('is nobody if nobody is named', () => expect(endUserOf(null)).toBeNull());
});
