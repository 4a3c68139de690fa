import { RE2JS } from 're2js';
import type { Rule } from '../rule';
import { Findings } from './findings';
import { Scanner } from './scanner';

/** How often a text of that many things to be masked is looked over for what begins none of them. */
function looks(spied: { mock: { calls: unknown[] } }, rule: Partial<Rule>, thing: string, times: number): number {
  const scanner = new Scanner([{ name: 'x', action: 'mask', on: 'both', ...rule }]);
  const findings = new Findings();
  spied.mock.calls.length = 0;
  scanner.mask(`first of all nothing, then ${`${thing} `.repeat(times)}`, findings);
  expect(findings.all).toEqual([{ rule: 'x', action: 'mask', count: times }]);
  return spied.mock.calls.length;
}

afterEach(() => jest.restoreAllMocks());

// Once for each thing found, a megabyte of them would take minutes, and nobody else be served.
it.each([
  ['for a pattern', () => jest.spyOn(RE2JS.prototype, 'test'), { pattern: 'PRJ-[0-9]{4}' }, 'PRJ-1234'],
  [
    'for how keys begin',
    () => jest.spyOn(String.prototype, 'includes'),
    { detect: ['github_token'] },
    `ghs_${'aB3'.repeat(12)}`,
  ],
] as const)('a text is looked over %s as often for a hundred things in it as for one', (_, spy, rule, thing) => {
  const spied = spy();
  expect(looks(spied, rule, thing, 100)).toBe(looks(spied, rule, thing, 1));
});

it('a private key that is cut off ends where another begins', () => {
  const scanner = new Scanner([{ name: 'x', action: 'mask', on: 'both', detect: ['private_key'] }]);
  const begin = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
  const line = 'aB3dEf6hIj9lMn2pQr5t';
  const text = `${begin}\n${line}\nno more\n${begin}\n${line}\n${begin.replace('BEGIN', 'END')}.`;
  expect(scanner.mask(text, new Findings())).toBe('[private key removed]\nno more\n[private key removed].');
});
