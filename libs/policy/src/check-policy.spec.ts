import { ActivePolicy, together } from './active-policy';
import { checkedPolicy } from './check-policy';
import type { SetPolicy } from './policy.dto';
import type { PolicyContent, Rule } from './rule';
import { Findings } from './scan/findings';

const rule = (name: string, more: Partial<Rule> = {}): Rule => ({
  ...{ name, action: 'mask', on: 'both', detect: ['email'] },
  ...more,
});
const content = (more: Partial<PolicyContent>): PolicyContent => ({
  ...{ maxOutputTokens: null, requiredHeaders: [], rules: [], uninspectable: 'refuse' },
  ...more,
});

describe('two policies together', () => {
  it.each([
    [null, null, null],
    [5, null, 5],
    [null, 6, 6],
    [5, 6, 5],
  ])('of limits %j and %j have %j', (all, own, both) => {
    const limits = together(content({ maxOutputTokens: all }), content({ maxOutputTokens: own }));
    expect(limits.maxOutputTokens).toBe(both);
  });

  it('let pass what nobody can look into only where each that looks at requests does', () => {
    const looking = (uninspectable: 'refuse' | 'allow', on: Rule['on'] = 'request'): PolicyContent =>
      content({ rules: [rule('x', { on })], uninspectable });
    const both = (all: PolicyContent, own: PolicyContent): string => together(all, own).uninspectable;
    expect(both(looking('refuse'), looking('allow'))).toBe('refuse');
    expect(both(looking('allow'), looking('refuse'))).toBe('refuse');
    expect(both(looking('allow'), looking('allow'))).toBe('allow');
    expect(both(content({}), looking('allow'))).toBe('allow');
    expect(both(looking('refuse', 'answer'), looking('allow'))).toBe('allow');
  });

  it('look for what each looks for, and refusing goes before masking', () => {
    const own = content({
      rules: [rule('people'), rule('never', { action: 'refuse', detect: undefined, words: ['falcon'] })],
    });
    const { request } = new ActivePolicy(together(content({ rules: [rule('all', { detect: ['iban'] })] }), own));
    const findings = new Findings();
    expect(request?.mask('ann@example.com DE89370400440532013000', findings)).toBe('[email removed] [IBAN removed]');
    expect(findings.masked.split(', ').sort()).toEqual(['all', 'people']);
    request?.mask('ann@example.com, Falcon', findings);
    expect(findings.refusedBy).toBe('never');
  });
});

describe('a policy', () => {
  it('that looks at one side leaves the other alone', () => {
    const { request, answer } = new ActivePolicy(content({ rules: [rule('x', { on: 'answer' })] }));
    expect([request === null, answer === null]).toEqual([true, false]);
  });

  it('is stored whole, with what was left out', () => {
    expect(checkedPolicy({})).toEqual(content({}));
    const rules = [{ name: 'x', action: 'refuse', on: 'both', words: ['a b'] }] as const;
    expect(checkedPolicy({ rules: rules.map((one) => ({ ...one, words: [...one.words] })) }).rules).toEqual(rules);
  });

  it('takes null for what is left out', () => {
    const [header, rules] = [
      { name: 'x-a', values: null, pattern: null },
      [{ ...rule('x'), pattern: null, words: null }],
    ];
    const given = { requiredHeaders: [header], rules } as unknown as SetPolicy;
    expect(checkedPolicy(given)).toEqual(content({ requiredHeaders: [{ name: 'x-a' }], rules: [rule('x')] }));
  });

  it.each(['authorization', 'x-api-key', 'anthropic-beta', 'x-stainless-lang', 'user-agent', 'cookie'])(
    'cannot require %s, which means something already',
    (name) => expect(() => checkedPolicy({ requiredHeaders: [{ name }] })).toThrow('passed on'),
  );

  it('is refused with all that is wrong with it', () => {
    const refused = (): unknown =>
      checkedPolicy({
        requiredHeaders: [{ name: 'x-a', pattern: 'a+' }, { name: 'cookie', pattern: '(' }, { name: 'x-a' }],
        rules: [{ ...rule('x'), words: ['b'] }, { ...rule('y'), detect: undefined, pattern: '[' }, rule('y')],
      } as unknown as SetPolicy);
    const fields = [
      ...['requiredHeaders.1.name', 'requiredHeaders.1.pattern', 'requiredHeaders.2.name'],
      ...['rules.0', 'rules.1.pattern', 'rules.2.name'],
    ].map((field) => expect.objectContaining({ field }) as unknown);
    expect(refused).toThrow(expect.objectContaining({ code: 'validation_failed', details: { fields } }) as Error);
  });

  it('tells what it wants of a header', () => {
    const headers = [{ name: 'a' }, { name: 'b', values: ['1', '2'] }, { name: 'c', pattern: 'x[0-9]+' }];
    const [any, some, like] = new ActivePolicy(content({ requiredHeaders: headers })).headers;
    expect([any?.wanted, some?.wanted, like?.wanted]).toEqual(['a value', 'one of 1, 2', 'a value like x[0-9]+']);
    expect([any?.accepts('x'), some?.accepts('3'), some?.accepts('2')]).toEqual([true, false, true]);
    expect([like?.accepts('x12'), like?.accepts('x12 '), like?.accepts('ax12')]).toEqual([true, false, false]);
  });
});
