import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { close, open } from './envelope';

const key = randomBytes(32);
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

test('opens to what was closed, with the same key and the same words beside it', () => {
  fc.assert(
    fc.property(bytes, fc.string(), (plain, context) => {
      expect(open(key, context, close(key, context, plain))).toEqual(plain);
    }),
  );
});

test('whatever is altered, it does not open', () => {
  const plain = Buffer.from('the merger is on Friday');
  const part = fc.constantFrom('wrappedKey' as const, 'sealed' as const);
  fc.assert(
    fc.property(part, fc.nat(), fc.integer({ min: 1, max: 255 }), (name, at, change) => {
      const envelope = close(key, 'call 1', plain);
      const altered = envelope[name];
      altered[at % altered.length]! ^= change;
      expect(() => open(key, 'call 1', envelope)).toThrow();
    }),
  );
});

test('another key, another context or the key of another entry does not open it', () => {
  const [one, two] = [close(key, 'call 1', Buffer.from('one')), close(key, 'call 2', Buffer.from('two'))];
  expect(() => open(randomBytes(32), 'call 1', one)).toThrow();
  expect(() => open(key, 'call 2', one)).toThrow();
  expect(() => open(key, 'call 1', { wrappedKey: two.wrappedKey, sealed: one.sealed })).toThrow();
});

test('the same text is never closed to the same bytes, and stands in neither part', () => {
  const plain = Buffer.from('the merger is on Friday');
  const [one, two] = [close(key, 'c', plain), close(key, 'c', plain)];
  expect(one.sealed.equals(two.sealed) || one.wrappedKey.equals(two.wrappedKey)).toBe(false);
  expect(Buffer.concat([one.sealed, one.wrappedKey]).includes('merger')).toBe(false);
});
