import { inspect } from 'node:util';
import { Secret } from '@app/platform';
import { Credential } from './credential';
import { KeyRing } from './key-ring';

const keyOf = (name: string): Credential => new Credential(new Secret(name), 'x-api-key');
const [a, b, c] = [keyOf('a'), keyOf('b'), keyOf('c')];

describe('a key', () => {
  test.each([
    ['authorization', 'Bearer s3cret'],
    ['x-api-key', 's3cret'],
    ['api-key', 's3cret'],
  ] as const)('is sent as %s and shows itself nowhere else', (header, value) => {
    const key = new Credential(new Secret('s3cret'), header);
    const headers = {};
    key.addTo(headers);
    expect(headers).toEqual({ [header]: value });
    expect(JSON.stringify(key) + inspect(key, { showHidden: true, depth: 9 })).not.toContain('s3cret');
  });
});

describe('several keys', () => {
  const ring = (): KeyRing => new KeyRing([a, b, c]);

  test('are used in turn', () => {
    const keys = ring();
    expect([0, 0, 0, 0].map((now) => keys.pick(now))).toEqual([a, b, c, a]);
  });

  test.each([
    [401, null, 300_000],
    [403, 5_000, 300_000],
    [429, null, 10_000],
    [429, 3_000, 3_000],
    [429, 0, 1_000],
    [429, 1e12, 3_600_000],
  ])('of which one was answered %i with a wait of %p are spared it for %i ms', (status, retryAfterMs, ms) => {
    const keys = ring();
    keys.setAside(a, status, retryAfterMs, 0);
    const picked = (now: number): Set<unknown> => new Set([1, 2, 3].map(() => keys.pick(now)));
    expect(picked(ms - 1)).toEqual(new Set([b, c]));
    expect(picked(ms)).toEqual(new Set([a, b, c]));
  });

  test('are used all the same when all are set aside: that one which comes back first', () => {
    const keys = ring();
    keys.setAside(a, 401, null, 0);
    keys.setAside(b, 429, 50_000, 0);
    expect(keys.hasSpare(0)).toBe(true);
    keys.setAside(c, 401, null, 0);
    expect([keys.hasSpare(0), keys.asideAt(0), keys.pick(0), keys.pick(0)]).toEqual([false, 3, b, b]);
  });

  test('may be one or none', () => {
    expect([new KeyRing([]).pick(0), new KeyRing([a]).pick(0)]).toEqual([null, a]);
  });
});
