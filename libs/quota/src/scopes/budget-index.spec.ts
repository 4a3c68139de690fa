import { METERS } from '../windows';
import { type Call, type Owner, tenantOwner } from './scope';
import { ScopedBudgets } from './scoped-budgets';

const cost = { metric: 'cost', period: 'month' } as const;
const tokens = { metric: 'tokens', period: 'day' } as const;
const part = (scope: Owner['scope'], target: string, meter: typeof cost | typeof tokens = cost) => ({
  ...{ tenantId: 'a', scope, target },
  ...meter,
});
const call: Call = { tenantId: 'a', lineage: 'tok_1', model: 'claude-opus', user: 'alice' };

const told = (budgets: ScopedBudgets, of: Partial<Call> = {}): string[] =>
  budgets.narrowOf({ ...call, ...of }).map(({ owner, meters }) => {
    const counts = meters.map(({ metric, period }) => `${metric}/${period}`).join(' ');
    return `${owner.scope} ${owner.target}: ${counts}`;
  });

describe('the budgets a call counts in', () => {
  it('are none but its tenant where there are no others', () => {
    const budgets = new ScopedBudgets([]);
    expect(told(budgets)).toEqual([]);
    expect(budgets.organisation).toBeNull();
  });

  it('are those of its user, its token and all patterns that match its model, narrow before wide', () => {
    const budgets = new ScopedBudgets([
      part('model', 'claude-*'),
      part('model', 'claude-opus', tokens),
      part('model', 'gpt-*'),
      part('token', 'tok_1'),
      part('user', 'alice'),
      part('user', 'alice', tokens),
    ]);
    expect(told(budgets)).toEqual([
      'user alice: cost/month tokens/day',
      'token tok_1: cost/month',
      'model claude-*: cost/month',
      'model claude-opus: tokens/day',
    ]);
    expect(told(budgets, { model: 'gpt-5', lineage: 'tok_2', user: null })).toEqual(['model gpt-*: cost/month']);
    expect(told(budgets, { tenantId: 'b' })).toEqual([]);
  });

  it('are of each user and token by itself', () => {
    const budgets = new ScopedBudgets([part('user', '*'), part('user', 'bob', tokens), part('token', '*', tokens)]);
    expect(told(budgets)).toEqual(['user alice: cost/month', 'token tok_1: tokens/day']);
    expect(told(budgets, { user: 'bob' })).toEqual(['user bob: cost/month tokens/day', 'token tok_1: tokens/day']);
    expect(told(budgets, { user: null })).toEqual(['token tok_1: tokens/day']);
  });

  it("are the organisation's for every tenant", () => {
    const budgets = new ScopedBudgets([{ tenantId: null, scope: 'organisation', target: '', ...cost }]);
    expect(budgets.organisation?.meters).toEqual([cost]);
    expect(told(budgets)).toEqual([]);
  });

  it('are told with the same list for the same meters, so that a pool notices a change', () => {
    const all = METERS.map((meter) => ({ ...part('user', '*'), ...meter }));
    const metersOf = (budgets: ScopedBudgets, user: string) => budgets.narrowOf({ ...call, user })[0]?.meters;
    expect(metersOf(new ScopedBudgets(all), 'alice')).toBe(METERS);
    const [one, other] = [new ScopedBudgets([part('user', '*')]), new ScopedBudgets([part('user', '*')])];
    expect(metersOf(one, 'alice')).toBe(metersOf(other, 'bob'));
    expect(tenantOwner('a')).toEqual({ tenantId: 'a', scope: 'tenant', target: '' });
  });
});
