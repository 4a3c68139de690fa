import fc from 'fast-check';
import { Digits, readExactJson, type ExactJson } from './exact-json';
import { RateFileError } from './rate-file';

/** What `JSON.parse` would have made of it. */
const asParsed = (value: ExactJson): unknown => {
  if (value instanceof Digits) return Number(value.text);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([name, member]) => [name, asParsed(member as ExactJson)]));
  return Array.isArray(value) ? value.map(asParsed) : value;
};

describe('readExactJson', () => {
  it('reads what JSON.parse reads, at any indentation', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(3), (value, indentation) => {
        const text = JSON.stringify(value, null, indentation);
        expect(asParsed(readExactJson(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(['1.5e-07', '0.10', '123456789012345678901234567890', '-0', '1E+2'])('keeps the digits of %s', (digits) =>
    expect(readExactJson(`[${digits}]`)).toEqual([new Digits(digits)]),
  );

  it.each<[string, number, number, string]>([
    ['{"a":1,\n "b":2,\n  "a":3}', 3, 3, '"a" comes a second time'],
    ['{"a":01}', 1, 7, '"1" is not JSON here'],
    ['{"a":1,}', 1, 8, '"}" is not JSON here'],
    ['[1\n2]', 2, 1, '"2" is not JSON here'],
    ['{"a":"x', 1, 6, '"\\"" is not JSON here'],
    ["{'a':1}", 1, 2, '"\'" is not JSON here'],
    ['{"a":NaN}', 1, 6, '"N" is not JSON here'],
    ['{"a":1} x', 1, 9, '"x" is not JSON here'],
    ['{"a":', 1, 6, 'the JSON ends too early'],
    ['', 1, 1, 'the JSON ends too early'],
    ['['.repeat(40), 1, 34, 'is nested more than 32 levels deep'],
  ])('%j is refused at line %i, column %i', (text, line, column, problem) => {
    expect(() => readExactJson(text)).toThrow(new RateFileError([{ problem, line, column }]));
  });

  it('names every member that comes twice, and then where nothing can be read any more', () => {
    const text = '{"a":1,"a":2,\n"b":{"c":1,"c":2},\n"b":x}';
    expect(() => readExactJson(text)).toThrow(
      new RateFileError([
        { problem: '"a" comes a second time', line: 1, column: 8 },
        { problem: '"c" comes a second time', line: 2, column: 12 },
        { problem: '"b" comes a second time', line: 3, column: 1 },
        { problem: '"x" is not JSON here', line: 3, column: 5 },
      ]),
    );
  });

  it('gives a member called __proto__ no power', () => {
    expect([...(readExactJson('{"__proto__":{"polluted":true}}') as ReadonlyMap<string, unknown>).keys()]).toEqual([
      '__proto__',
    ]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
