import { Secret } from '@app/platform';
import fc from 'fast-check';
import { Credential } from './credential';
import { KeyGuard } from './key-guard';

const KEY = 'aab-aaba';

const through = (chunks: readonly string[]): { passed: string; isCut: boolean } => {
  const guard = new KeyGuard(Buffer.from(KEY));
  let passed = '';
  for (const chunk of chunks) {
    const bytes = guard.pass(Buffer.from(chunk));
    if (bytes === null) return { passed, isCut: true };
    passed += bytes.toString();
  }
  return { passed: passed + guard.last(Buffer.alloc(0)).toString(), isCut: false };
};

test('passes every stream on as it is, unless the key is in it, of which nothing passes that makes it whole', () => {
  const pieces = fc.array(fc.stringMatching(/^[ab-]{0,9}$/), { maxLength: 40 });
  fc.assert(
    fc.property(pieces, (chunks) => {
      const whole = chunks.join('');
      const { passed, isCut } = through(chunks);
      expect(isCut).toBe(whole.includes(KEY));
      if (isCut) expect(whole.startsWith(passed) && !passed.includes(KEY)).toBe(true);
      else expect(passed).toBe(whole);
    }),
    { numRuns: 1_000 },
  );
});

test('gives away no part of a key that comes in pieces', () => {
  expect(through(['data: ', 'aab', '-aa', 'ba'])).toEqual({ passed: 'data: ', isCut: true });
});

describe('a whole answer', () => {
  const key = new Credential(new Secret('hunter2-hunter2'), 'x-api-key');

  test('is masked wherever the key stands', () => {
    const body = Buffer.from('{"a":"hunter2-hunter2hunter2-hunter2","b":"hunter2"}');
    expect(key.maskIn(body).toString()).toBe('{"a":"[secret][secret]","b":"hunter2"}');
    const clean = Buffer.from('{"b":"hunter2"}');
    expect(key.maskIn(clean)).toBe(clean);
    expect([key.isIn('x hunter2-hunter2'), key.isIn('hunter2')]).toEqual([true, false]);
  });

  test('is not searched for a key that is no secret', () => {
    const short = new Credential(new Secret('k'), 'x-api-key');
    expect([short.maskIn(Buffer.from('kk')).toString(), short.isIn('k'), short.guard()]).toEqual(['kk', false, null]);
  });
});
