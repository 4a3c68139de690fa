import { Secret } from '../secret';
import { changedSettings } from './changed-settings';

const provider = (fields: object = {}): object => ({ dialect: 'openai', apiKey: new Secret('k-1'), ...fields });
const admin = (name: string, fields: object = {}): object => ({ name, role: 'admin', ...fields });

test.each<[string, object, object, string[]]>([
  ['nothing', { a: { b: 1 } }, { a: { b: 1 } }, []],
  ['a value deep inside', { a: { b: { c: 1 }, d: 2 } }, { a: { b: { c: 3 }, d: 2 } }, ['a.b.c']],
  ['a secret', { p: { x: provider() } }, { p: { x: provider({ apiKey: new Secret('k-2') }) } }, ['p.x.apiKey']],
  ['the same secret, read again', { p: provider() }, { p: provider() }, []],
  ['a thing that comes', { p: {} }, { p: { x: provider() } }, ['p.x']],
  ['a thing that goes', { cache: { maxSeconds: 5 } }, {}, ['cache']],
  [
    'one of a list, by its name',
    { k: [admin('a'), admin('b')] },
    { k: [admin('b', { role: 'auditor' })] },
    ['k.a', 'k.b.role'],
  ],
  ['one of a list without names', { t: ['a', 'b'] }, { t: ['a', 'c'] }, ['t.1']],
  ['the order of a list', { k: [admin('a'), admin('b')] }, { k: [admin('b'), admin('a')] }, ['k']],
])('tells by name what changed: %s', (_, before, after, names) => {
  expect(changedSettings(before, after)).toEqual(names);
});

test('tells no value, and no endless list', () => {
  const many = Object.fromEntries(
    Array.from({ length: 130 }, (_, i) => [`p${i}`, provider({ apiKey: new Secret('hunter2') })]),
  );
  const names = changedSettings({ providers: {} }, { providers: many });
  expect(names).toHaveLength(101);
  expect(names.at(-1)).toBe('and 30 more');
  expect(names.join()).not.toContain('hunter2');
});
