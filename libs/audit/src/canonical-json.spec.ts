import { Secret } from '@app/platform';
import { boundedJson, canonicalJson } from './canonical-json';

const HEX = '0123456789abcdef0123456789abcdef';

describe('canonicalJson', () => {
  it('writes the same text for the same content in any order', () => {
    expect(canonicalJson({ b: 1, a: { d: 2, c: 3 } })).toBe('{"a":{"c":3,"d":2},"b":1}');
    expect(canonicalJson({ a: { c: 3, d: 2 }, b: 1 })).toBe('{"a":{"c":3,"d":2},"b":1}');
  });

  it('keeps amounts exact and instants in UTC', () => {
    expect(canonicalJson({ limit: 12_345_678_901_234_567_890n, at: new Date(0) })).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","limit":"12345678901234567890"}',
    );
  });

  it('shows of a secret only that there is one', () => {
    expect(canonicalJson({ provider: { credentials: new Secret('swordfish') } })).toBe(
      '{"provider":{"credentials":"[secret]"}}',
    );
  });

  it.each([`tk_finance_${HEX}`, `ak_root_${HEX}`, 'sk-ant-abcdefghijklmnop1234'])(
    'masks %s wherever it stands',
    (key) => {
      const json = canonicalJson({ note: `leaked: ${key}!`, list: [[key]], [`by ${key}`]: 1 });
      expect(json).not.toContain(key);
      expect(json.match(/\[secret\]/g)).toHaveLength(3);
    },
  );

  it.each(['hash', 'secret', 'apiKey', 'api_key', 'token', 'plaintext', 'password'])(
    'drops "%s" with text or bytes, but keeps a view of that name',
    (name) => {
      expect(canonicalJson({ [name]: 'x', id: 1 })).toBe('{"id":1}');
      expect(canonicalJson({ [name]: Buffer.from('x'), id: 1 })).toBe('{"id":1}');
      expect(canonicalJson({ [name]: { id: 1 } })).toBe(`{"${name}":{"id":1}}`);
    },
  );

  it('leaves out what is not plain data', () => {
    const odd = {
      f: () => 1,
      s: Symbol('s'),
      m: new Map([[1, 2]]),
      b: Buffer.from('hi'),
      n: NaN,
      u: undefined,
      ok: true,
    };
    expect(canonicalJson(odd)).toBe('{"ok":true}');
    expect(canonicalJson(undefined)).toBe('null');
  });

  it('ends with a value that contains itself', () => {
    const loop: Record<string, unknown> = { id: 1 };
    loop.self = loop;
    expect(canonicalJson(loop)).toContain('[deeper]');
  });

  it('stays on one line', () => {
    expect(canonicalJson({ note: 'a\nb\r\n"c"\u0000' })).toBe('{"note":"a\\nb\\r\\n\\"c\\"\\u0000"}');
  });
});

describe('boundedJson', () => {
  it('replaces what is too large by its size and hash', () => {
    const large = { text: 'ä'.repeat(100) };
    expect(boundedJson(large, 211)).toBe(canonicalJson(large));
    expect(JSON.parse(boundedJson(large, 210))).toEqual({
      omitted: { bytes: 211, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown },
    });
  });
});
