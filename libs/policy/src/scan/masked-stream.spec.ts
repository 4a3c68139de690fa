import { atOnce } from '@app/platform';
import fc from 'fast-check';
import type { Rule } from '../rule';
import { Findings } from './findings';
import { MaskedJson, MaskedText, maskJson, maskText, type MaskedStream } from './masked-stream';
import { Scanner } from './scanner';

const RULES: readonly Rule[] = [
  { name: 'keys', action: 'mask', on: 'both', detect: ['secrets'] },
  { name: 'people', action: 'mask', on: 'both', detect: ['personal_data'] },
  { name: 'projects', action: 'mask', on: 'both', words: ['Brightwater', 'bright', 'Project X', 'é'] },
  { name: 'tickets', action: 'mask', on: 'both', pattern: '\\bPRJ-\\d{2,5}(?:ab|a)?' },
  { name: 'pairs', action: 'mask', on: 'both', pattern: '(?i)q.{0,3}q' },
];
const REFUSING: readonly Rule[] = [
  ...RULES,
  { name: 'ssn', action: 'refuse', on: 'both', detect: ['us_ssn', 'jwt'] },
  { name: 'never', action: 'refuse', on: 'both', pattern: '4111[ -]?1{2,4}' },
];

const PEM = ['-----BEGIN RSA ', 'PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq\n', '-----END RSA PRIVATE', ' KEY-----'];
/** Pieces of which the things that rules look for are made, and some that only look so. */
const PIECES = [
  ...PEM,
  ...[
    'AKIA',
    'IOSFODNN7',
    'EXAMPLE',
    'sk-',
    'ant-',
    'aB3dEf6hIj9lMn2pQr5t',
    'ghp_',
    'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8',
  ],
  ...['eyJhbGciOiJI', '.', 'eyJzdWIiOiIx', '@', 'ann', 'x.de', '.example', '+49 30 ', '1234', '567', '89', '-'],
  ...['4111 ', '1111', '1111-', 'DE89 ', '3704 0044 0532 0130 00', 'GB82WEST', '12345698765432', '078-05-', '1120'],
  ...[
    'bright',
    'water',
    'Project',
    ' ',
    '\n',
    'X',
    'PRJ-',
    '12',
    'ab',
    'a',
    'q',
    '😀',
    'é',
    'É',
    '_',
    '"',
    '\\',
    '\\n',
    '\\u0040',
  ],
  ...['postgres://', 'u:', 'p', '[email removed]', '{', '}', ':', ',', '86095742719', 'AB123456C', 'RSSMRA85T10A562S'],
];
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((pieces) => pieces.join(''));

/** The text in pieces that end wherever the numbers say. */
function cut(whole: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(whole.slice(at, at + size));
    at += size;
  }
  return [...pieces, whole.slice(at)];
}

const cuts = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 });

function streamed(stream: MaskedStream, pieces: readonly string[]): string {
  return pieces.map((piece) => stream.push(piece)).join('') + stream.end();
}

describe('a text in pieces', () => {
  const scanner = new Scanner(RULES);
  const refusing = new Scanner(REFUSING);

  it('is masked as the whole is, wherever it is cut', () => {
    fc.assert(
      fc.property(text, cuts, (whole, sizes) => {
        const [atOnce, inPieces] = [new Findings(), new Findings()];
        const expected = scanner.mask(whole, atOnce);
        expect(streamed(new MaskedText(scanner, inPieces), cut(whole, sizes))).toBe(expected);
        expect(inPieces.all).toEqual(expect.arrayContaining([...atOnce.all]));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is refused if the whole is, and nothing of what it is refused for has left', () => {
    fc.assert(
      fc.property(text, cuts, (whole, sizes) => {
        const [atOnce, inPieces] = [new Findings(), new Findings()];
        const expected = refusing.mask(whole, atOnce);
        const told = streamed(new MaskedText(refusing, inPieces), cut(whole, sizes));
        expect(inPieces.refusedBy).toBe(atOnce.refusedBy);
        if (atOnce.refusedBy === null) expect(told).toBe(expected);
        else expect(refusing.refused(told, 0)).toBeNull();
      }),
      // What is refused begins in what is masked, and ends behind it.
      { numRuns: 1_000, examples: [['PRJ-4111 1111', [9]]] },
    );
  });

  it('of many pieces is masked as the whole is', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 300 }), (part, spread) => {
        // Each end of a piece comes somewhere else in it.
        const whole = `${part}${'.'.repeat(spread)}`.repeat(Math.ceil(50_000 / (part.length + spread)));
        const [whole_, inPieces] = [new Findings(), new Findings()];
        expect(atOnce(maskText(whole, scanner, inPieces))).toBe(scanner.mask(whole, whole_));
        expect(inPieces.all).toEqual(expect.arrayContaining([...whole_.all]));
      }),
      { numRuns: 50 },
    );
  });

  it('of JSON is masked as the whole is, and stays JSON', () => {
    const leaf = fc.oneof(text, fc.constantFrom(4111111111111111, 86095742719, null));
    const leaves = (json: string): string[] => (JSON.parse(json) as (string | number | null)[]).map(String);
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 4 }), cuts, (values, sizes) => {
        const whole = JSON.stringify(values);
        const expected = atOnce(maskJson(whole, scanner, new Findings()));
        expect(streamed(new MaskedJson(scanner, new Findings()), cut(whole, sizes))).toBe(expected);
        expect(leaves(expected)).toEqual(leaves(whole).map((one) => scanner.mask(one, new Findings())));
      }),
      { numRuns: 1_000 },
    );
  });

  it('waits for no more than may become a match', () => {
    const stream = new MaskedText(scanner, new Findings());
    expect(stream.push('Write to ')).toBe('Write to ');
    expect(stream.push('ann')).toBe('');
    expect(stream.push(' or ')).toBe('ann or ');
    expect(stream.push('bob@x.de')).toBe('');
    expect(stream.push(', today')).toBe('[email removed], ');
    expect(stream.end()).toBe('today');
  });

  it('resolves escapes of JSON, and quotes a mask that stands for a number', () => {
    const json = '{"a":"x\\nann\\u0040x.de","b":4111111111111111}';
    expect(atOnce(maskJson(json, scanner, new Findings()))).toBe(
      '{"a":"x\\n[email removed]","b":"[payment card removed]"}',
    );
  });
});
