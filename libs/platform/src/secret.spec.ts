import { format, inspect } from 'node:util';
import * as fc from 'fast-check';
import { maskKeys, Secret } from './secret';

const HEX = '0123456789abcdef'.repeat(2);

describe('a Secret', () => {
  const secret = new Secret('hunter2');

  it('is revealed on request only', () => expect(secret.reveal()).toBe('hunter2'));

  it.each<[string, () => string]>([
    ['String()', () => String(secret)],
    ['a template', () => `${secret as unknown as string}`],
    ['concatenation', () => '' + (secret as unknown as string)],
    ['toLocaleString', () => secret.toLocaleString()],
    ['JSON', () => JSON.stringify(secret)],
    ['JSON, nested', () => JSON.stringify({ a: [secret] })],
    ['inspect', () => inspect(secret)],
    [
      'inspect with everything shown',
      () => inspect({ a: secret }, { showHidden: true, depth: null, customInspect: true }),
    ],
    ['%s, %o, %O, %j', () => format('%s %o %O %j', secret, secret, secret, secret)],
    ['an error', () => String(new Error(String(secret), { cause: secret }))],
    ['an array', () => [secret].join()],
  ])('prints as a mask through %s', (_, print) => {
    expect(print()).not.toContain('hunter2');
    expect(print()).toContain('[secret]');
  });

  it.each<[string, () => unknown]>([
    ['a spread', () => ({ ...secret })],
    ['a clone', () => structuredClone(secret)],
    ['its keys', () => Reflect.ownKeys(secret)],
    ['a look without the custom inspection', () => inspect(secret, { customInspect: false, showHidden: true })],
  ])('is not in %s', (_, look) => expect(inspect(look(), { depth: null })).not.toContain('hunter2'));
});

describe('maskKeys', () => {
  it.each([
    [`token tk_finance_${HEX} was`, 'token [secret] was'],
    [`tk_a-b_c_${HEX}`, '[secret]'],
    [`key=ak_ops_${HEX}.`, 'key=[secret].'],
    [`ak_ops_${HEX}, tk_x_${HEX}`, '[secret], [secret]'],
    ['Incorrect API key provided: sk-proj-abcdefghijklmnop.', 'Incorrect API key provided: [secret].'],
    ['sk-ant-api03-AAAA_BBBB-CCCC', '[secret]'],
    [`key_tk_finance_${HEX}`, 'key_[secret]'],
    [`?token%3Dtk_finance_${HEX}&k%3Dsk-abcdefghijklmnopqrst`, '?token%3D[secret]&k%3D[secret]'],
    ['postgres://gateway:pa55@db.example:5432/x', 'postgres://gateway:[secret]@db.example:5432/x'],
    ['postgres://gateway:p@ss/w:rd@db.example/x', 'postgres://gateway:[secret]@db.example/x'],
    ['redis://:pa55@cache and http://u:v@w', 'redis://:[secret]@cache and http://u:[secret]@w'],
  ])('masks %j', (text, masked) => expect(maskKeys(text)).toBe(masked));

  it.each([
    `tk_finance_${HEX.slice(1)}`,
    `tok_${HEX}`,
    `req_${HEX}`,
    'task-management-and-planning',
    'risk-sk-1',
    'https://api.example:443/v1/messages',
    'mail cfo@example.com at 12:30',
    '{"a":"//b:","c":"d@e"}',
  ])('leaves %j alone', (text) => expect(maskKeys(text)).toBe(text));

  it('keeps JSON parsable, and finds keys behind its escapes', () => {
    const keys = [
      `tk_a_${HEX}`,
      'sk-abcdefghijklmnopqrst',
      'x://u:hunter2@h',
      '"',
      '\n',
      '\t',
      '//',
      ':',
      '@',
      '\\',
      ' ',
    ];
    const text = fc
      .array(fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 4 })))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), text), (value) => {
        expect(Object.keys(JSON.parse(maskKeys(JSON.stringify(value))) as object)).toEqual(Object.keys(value));
      }),
    );
    expect(maskKeys(JSON.stringify('first\nsk-abcdefghijklmnopqrst'))).toBe('"first\\n[secret]"');
    expect(maskKeys(JSON.stringify(`first\ntk_a_${HEX}`))).toBe('"first\\n[secret]"');
  });

  it('does not mind being used twice', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const once = maskKeys(`${text} sk-abcdefghijklmnopqrst x://u:p@h`);
        expect(maskKeys(once)).toBe(once);
      }),
    );
  });
});
