import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { AnswerKey } from './answer-key';
import { openAnswer, sealAnswer, type KeptAnswer } from './kept-answer';

const keyOf = (text: string): AnswerKey => {
  const digest = (what: string): Buffer => createHash('sha256').update(`${what} ${text}`).digest();
  return { id: digest('id'), secret: digest('secret') };
};
const answer: fc.Arbitrary<KeptAnswer> = fc.record({
  isStream: fc.boolean(),
  headers: fc.dictionary(fc.string(), fc.string()),
  provider: fc.string(),
  model: fc.string(),
  costNanos: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  body: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
});
const KEY = keyOf('a');

test('whoever has the question gets the answer back, to the byte and the nano', () => {
  fc.assert(
    fc.property(answer, (kept) => expect(openAnswer(KEY, 'alpha', sealAnswer(KEY, 'alpha', kept))).toEqual(kept)),
  );
});

const [one] = fc.sample(answer, 1) as [KeptAnswer];
const sealed = sealAnswer(KEY, 'alpha', { ...one, body: Buffer.from('the words of the answer') });

test.each([
  ['another question', keyOf('b'), 'alpha', sealed],
  ['another tenant', KEY, 'beta', sealed],
  ['another place', { ...KEY, id: keyOf('b').id }, 'alpha', sealed],
  [
    'a text of another answer',
    KEY,
    'alpha',
    Buffer.concat([sealed.subarray(0, -1), Buffer.from([(sealed.at(-1) as number) ^ 1])]),
  ],
  ['half a text', KEY, 'alpha', sealed.subarray(0, sealed.length - 5)],
  ['no text', KEY, 'alpha', Buffer.alloc(0)],
])('it is not opened for %s', (_, key, tenant, text) => {
  expect(() => openAnswer(key, tenant, text)).toThrow();
});

test('nothing of it can be read, and twice the same does not look the same', () => {
  expect(sealed.includes('words')).toBe(false);
  expect(sealAnswer(KEY, 'alpha', one).equals(sealAnswer(KEY, 'alpha', one))).toBe(false);
});
