import * as fc from 'fast-check';
import { KeySet } from './key-set';
import { eachElement, MAX_DEPTH, membersAt, scanObject, type ScanResult } from './request-scan';

const NAMES = ['model', 'stream', 'n'];
const WANTED = new KeySet(NAMES);
const scan = (text: string | Buffer): ScanResult => scanObject(Buffer.from(text), WANTED);

function problemOf(text: string | Buffer): string {
  const result = scan(text);
  if (result.ok) throw new Error(`taken: ${text.toString()}`);
  return `${result.problem.reason}@${result.problem.offset}`;
}

function rawOf(text: string, key: string): string | undefined {
  const body = Buffer.from(text);
  const result = scanObject(body, WANTED);
  if (!result.ok) throw new Error(`refused: ${result.problem.reason}`);
  const member = result.object.members.get(key);
  return member && body.toString('utf8', member.valueStart, member.valueEnd);
}

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** JSON text with random white space, which `JSON.stringify` never makes. */
const spaced = fc
  .tuple(fc.json({ maxDepth: 4 }), fc.constantFrom('', ' ', '\n\t', '\r\n'))
  .map(([json, space]) => `${space}${json}${space}`);

describe('scanObject', () => {
  it('finds wanted members whatever surrounds them', () => {
    const text = ' {"a":[{"model":"no"}],"model" : "m\\"1" ,"s":"\\\\","stream":\ttrue,"n":-1.5e+3 }\n';
    expect(rawOf(text, 'model')).toBe('"m\\"1"');
    expect(rawOf(text, 'stream')).toBe('true');
    expect(rawOf(text, 'n')).toBe('-1.5e+3');
    expect(rawOf('{}', 'model')).toBeUndefined();
    expect(rawOf('{"messages":[{"content":"\\"model\\":\\"evil\\""}],"model":"good"}', 'model')).toBe('"good"');
  });

  it('takes the strings that JSON.parse takes, wherever in memory they begin and whatever they hold', () => {
    const piece = fc.constantFrom(
      'a',
      'word',
      ' ',
      '!',
      '~',
      'é',
      '€',
      '😀',
      '\\"',
      '\\\\',
      '\\n',
      '\\u00e9',
      '"',
      '\\',
      '\\x',
    );
    const pieces = fc.array(
      fc.oneof(
        { weight: 9, arbitrary: piece },
        fc.nat(0x1f).map((code) => String.fromCharCode(code)),
      ),
    );
    fc.assert(
      fc.property(pieces, fc.nat(7), (some, shift) => {
        const text = `{"a":"${some.join('')}","model":"m"}`;
        const body = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).subarray(shift);
        const { ok } = scanObject(body, WANTED);
        expect({ text, ok }).toEqual({ text, ok: parses(text) });
        if (ok) expect(rawOf(text, 'model')).toBe('"m"');
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['', 'empty@0'],
    [' \n', 'empty@2'],
    ['[1]', 'not_an_object@0'],
    [' "x"', 'not_an_object@1'],
    ['nul', 'malformed@3'],
    ['{"model":"a"', 'malformed@12'],
    ['{"model":}', 'malformed@9'],
    ['{"model" "a"}', 'malformed@9'],
    ['{"a":1,}', 'malformed@7'],
    ['{"a":[1,]}', 'malformed@8'],
    ['{"a":[1}}', 'malformed@7'],
    ['{"a":{"b"}}', 'malformed@9'],
    ['{"a":01}', 'malformed@6'],
    ['{"a":1.}', 'malformed@7'],
    ['{"a":-}', 'malformed@6'],
    ['{"a":1e}', 'malformed@7'],
    ['{"a":"\t"}', 'malformed@6'],
    ['{"a":"\\x"}', 'malformed@7'],
    ['{"a":"\\u00g0"}', 'malformed@10'],
    ['{"a":"x', 'malformed@7'],
    ["{'a':1}", 'malformed@1'],
    ['\ufeff{}', 'malformed@0'],
    ['{}x', 'trailing_garbage@2'],
    ['{"model":"a"}\n{"model":"b"}', 'trailing_garbage@14'],
  ])('refuses %j as %s', (text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });

  it('refuses every control character in a string, and no other ASCII character', () => {
    for (let code = 0; code < 128; code += 1) {
      const text = `{"a":"-${String.fromCharCode(code)}-"}`;
      expect([code, scan(text).ok]).toEqual([code, parses(text)]);
    }
  });

  it('sees any character in a long string, wherever it stands', () => {
    const wrong: unknown[] = [];
    for (let code = 0; code <= 0x100; code += 1)
      for (let before = 44; before < 84; before += 1) {
        const string = `"${'x'.repeat(before)}${String.fromCharCode(code)}${'y'.repeat(20)}"`;
        const text = `{"a":${string},"model":"m"}`;
        const { ok } = scan(text);
        if (ok !== parses(text) || (ok && rawOf(text, 'model') !== '"m"')) wrong.push([code, before, ok]);
      }
    expect(wrong).toEqual([]);
  });

  it('refuses a wanted key that parsers could read differently', () => {
    expect(problemOf('{"model":"a","model":"b"}')).toBe('duplicate_key@13');
    expect(problemOf('{"model":"a","mod\\u0065l":"b"}')).toBe('duplicate_key@13');
    expect(problemOf('{"model":"a","Model":"b"}')).toBe('ambiguous_key@13');
    expect(problemOf('{"\\u017ftream":true}')).toBe('ambiguous_key@1');
    expect(rawOf('{"mod\\u0065l":"b"}', 'model')).toBe('"b"');
    expect(rawOf('{"a":1,"a":2,"A":3,"model":"b"}', 'model')).toBe('"b"');
  });

  it('refuses bytes that are not UTF-8 and says where', () => {
    expect(problemOf(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBe('invalid_utf8@2');
    expect(problemOf(Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]))).toBe('invalid_utf8@2');
    expect(rawOf('{"ü€😀":1,"model":"naïve"}', 'model')).toBe('"naïve"');
  });

  it('bounds nesting without using the stack', () => {
    const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(scan(nested(MAX_DEPTH)).ok).toBe(true);
    expect(problemOf(nested(MAX_DEPTH + 1))).toBe(`too_deep@${5 + MAX_DEPTH}`);
    expect(problemOf('{"a":' + '['.repeat(1_000_000))).toBe(`too_deep@${5 + MAX_DEPTH}`);
  });

  it('takes every object that JSON.parse takes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), spaced, (object, extra) => {
        const body = `${JSON.stringify({ ...object, model: 'm' }).slice(0, -1)},"the extra one":${extra}}`;
        const result = scan(body);
        const folded = Object.keys(object).some(
          (key) => key !== 'model' && NAMES.includes(key.toUpperCase().toLowerCase()),
        );
        if (!folded) expect(result.ok).toBe(true);
        if (result.ok) expect(result.object.count).toBe(new Set([...Object.keys(object), 'model', 'x']).size);
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with JSON.parse about documents that were damaged', () => {
    const damage = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat({ max: 2 }),
      put: fc.constantFrom(
        '',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '0',
        '-',
        '.',
        'e',
        'u',
        'é',
        ' ',
        '\n',
        '\u0000',
      ),
    });
    let broken = 0;
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.array(damage, { maxLength: 3 }), (json, damages) => {
        let text = `{"k":${json},"n":[0.5e-1,{"x":"\\u00e9\\n"},true,false,null]}`;
        for (const { at, cut, put } of damages) {
          const place = Math.floor(at * text.length);
          text = text.slice(0, place) + put + text.slice(place + cut);
        }
        text = Buffer.from(text).toString();
        const result = scan(text);
        if (!result.ok && ['duplicate_key', 'ambiguous_key', 'not_an_object'].includes(result.problem.reason)) return;
        if (!result.ok) broken += 1;
        expect([text, result.ok]).toEqual([text, parses(text)]);
      }),
      { numRuns: 3000 },
    );
    expect(broken).toBeGreaterThan(500);
  });

  it('gives ranges whose text parses to what JSON.parse finds', () => {
    const values = fc.record({
      model: fc.jsonValue(),
      stream: fc.jsonValue(),
      n: fc.jsonValue(),
      other: fc.jsonValue(),
    });
    fc.assert(
      fc.property(values, fc.constantFrom(undefined, 1, '\t'), (object, indent) => {
        const text = JSON.stringify(object, null, indent);
        for (const key of NAMES) {
          expect(JSON.parse(rawOf(text, key)!)).toEqual((JSON.parse(text) as Record<string, unknown>)[key]);
        }
      }),
    );
  });
});

describe('walking inside a scanned body', () => {
  it('sees the elements and members that JSON.parse sees', () => {
    const item = fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: fc.constantFrom('\\', '"', 'a', ']', '}'), maxLength: 90 }),
    );
    fc.assert(
      fc.property(fc.array(item), fc.constantFrom(undefined, 2), fc.boolean(), (items, indent, walked) => {
        const body = Buffer.from(JSON.stringify({ n: items.map((model) => ({ before: model, model })) }, null, indent));
        const outer = scanObject(body, WANTED);
        if (!outer.ok) throw new Error(outer.problem.reason);
        const seen: unknown[] = [];
        eachElement(body, outer.object.members.get('n')!.valueStart, (start) => {
          const inner = membersAt(body, start, WANTED);
          if (!inner.ok) throw new Error(inner.problem.reason);
          const { valueStart, valueEnd } = inner.object.members.get('model')!;
          seen.push(JSON.parse(body.toString('utf8', valueStart, valueEnd)));
          return walked ? inner.object.close + 1 : undefined;
        });
        expect(seen).toEqual(JSON.parse(JSON.stringify(items)));
      }),
      { numRuns: 500 },
    );
  });

  it('finds the end of long strings with escaped quotes', () => {
    for (let plain = 40; plain < 60; plain += 1) {
      for (const tail of ['', '"', '\\', '\\"', '\\\\"]}', '"'.repeat(9) + 'x'.repeat(99)]) {
        const text = 'x'.repeat(plain) + tail;
        const body = Buffer.from(JSON.stringify({ n: [text, text] }));
        const outer = scanObject(body, WANTED);
        if (!outer.ok) throw new Error(outer.problem.reason);
        const starts: number[] = [];
        eachElement(body, outer.object.members.get('n')!.valueStart, (start) => {
          starts.push(start);
          return undefined;
        });
        expect(starts).toEqual([6, 7 + JSON.stringify(text).length]);
      }
    }
  });

  it('steps over scalars, empty containers and white space', () => {
    const body = Buffer.from('{"n":[1 ,true,[], {} ,"", -2.5e3\n]}');
    const outer = scanObject(body, WANTED);
    if (!outer.ok) throw new Error(outer.problem.reason);
    const starts: string[] = [];
    eachElement(body, outer.object.members.get('n')!.valueStart, (start) => {
      starts.push(String.fromCharCode(body[start]!));
      return undefined;
    });
    expect(starts.join('')).toBe('1t[{"-');
  });
});
