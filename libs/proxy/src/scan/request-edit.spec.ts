import * as fc from 'fast-check';
import { KeySet } from './key-set';
import { editMembers, usageAsked } from './request-edit';
import { type JsonObject, scanObject } from './request-scan';

const KEYS = ['a', 'b', 'c', 'stream_options'];

function objectOf(body: Buffer): JsonObject {
  const result = scanObject(body, new KeySet(KEYS));
  if (!result.ok) throw new Error(result.problem.reason);
  return result.object;
}

const edit = (text: string, edits: Parameters<typeof editMembers>[2]): string => {
  const body = Buffer.from(text);
  return editMembers(body, objectOf(body), edits).toString();
};

describe('editMembers', () => {
  it('takes the right comma along', () => {
    expect(edit('{"a":1,"x":2}', { remove: ['a'] })).toBe('{"x":2}');
    expect(edit('{"x":2,"a":1}', { remove: ['a'] })).toBe('{"x":2}');
    expect(edit('{"x":1, "a":1 , "y":3}', { remove: ['a'] })).toBe('{"x":1, "y":3}');
    expect(edit('{ "a":1, "b":2 }', { remove: ['a', 'b'] })).toBe('{}');
    expect(edit('{"x":0,"a":1,"y":0,"b":2,"c":3}', { remove: ['a', 'b', 'c', 'a'] })).toBe('{"x":0,"y":0}');
  });

  it('replaces and adds without touching anything else', () => {
    expect(edit('{ "x" : 1.0, "a":[1] }', { set: { a: '2' } })).toBe('{ "x" : 1.0, "a":2 }');
    expect(edit('{"x":1.50}', { set: { a: '"é"', b: '2' } })).toBe('{"a":"é","b":2,"x":1.50}');
    expect(edit('{"a":1}', { remove: ['a'], set: { b: '2' } })).toBe('{"b":2}');
    expect(edit('{"a":1}', { remove: ['a'], set: { a: '2' } })).toBe('{"a":2}');
    expect(edit(' {} ', { set: { b: '2' } })).toBe(' {"b":2} ');
  });

  it('hands back the same buffer when there is nothing to do', () => {
    const body = Buffer.from('{"x":1}');
    expect(editMembers(body, objectOf(body), { remove: ['a'] })).toBe(body);
  });

  it('does to any object what the same change does to its value', () => {
    const members = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'x', 'y', 'z'), fc.jsonValue()), {
      selector: ([key]) => key,
    });
    const remove = fc.subarray(['a', 'b', 'c']);
    const set = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue());
    fc.assert(
      fc.property(members, remove, set, fc.constantFrom(undefined, 1), (entries, gone, put, indent) => {
        const before = Object.fromEntries(entries);
        const raw = Object.fromEntries(Object.entries(put).map(([key, value]) => [key, JSON.stringify(value)]));
        const expected: Record<string, unknown> = { ...before };
        for (const key of gone) delete expected[key];
        Object.assign(expected, put);
        const after = edit(JSON.stringify(before, null, indent), { remove: gone, set: raw });
        expect(JSON.parse(after)).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('usageAsked', () => {
  const ask = (text: string): string => {
    const body = Buffer.from(text);
    const object = objectOf(body);
    return editMembers(body, object, { set: { stream_options: usageAsked(body, object) } }).toString();
  };

  it('adds the option and keeps the others', () => {
    expect(ask('{"x":1}')).toBe('{"stream_options":{"include_usage":true},"x":1}');
    expect(ask('{"stream_options":null}')).toBe('{"stream_options":{"include_usage":true}}');
    expect(ask('{"x":1,"stream_options":{"include_obfuscation":false}}')).toBe(
      '{"x":1,"stream_options":{"include_usage":true,"include_obfuscation":false}}',
    );
    expect(ask('{"stream_options":{ "include_usage" : false }}')).toBe('{"stream_options":{ "include_usage" : true }}');
  });
});
