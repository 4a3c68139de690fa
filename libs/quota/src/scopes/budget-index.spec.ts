import { METERS } from '../windows';
import { type Call, ORGANISATION, type Owner, tenantOwner } from './scope';
import { BudgetIndex } from './budget-index';

const cost = { metric: 'cost', period: 'month' } as const;
const tokens = { metric: 'tokens', period: 'day' } as const;
const part = (scope: Owner['scope'], target: string, meter: typeof cost | typeof tokens = cost) => ({
  ...{ tenantId: 'a', scope, target },
  ...meter,
});
const call: Call = { tenantId: 'a', lineage: 'tok_1', model: 'claude-opus', user: 'alice' };

const told = (budgets: BudgetIndex, of: Partial<Call> = {}): string[] =>
  budgets.ofCall({ ...call, ...of }).map(({ owner, meters }) => {
    const counts = meters.map(({ metric, period }) => `${metric}/${period}`).join(' ');
    return `${owner.scope} ${owner.target}: ${counts}`;
  });

describe('the budgets a call counts in', () => {
  it('are none where there are none', () => {
    expect(told(BudgetIndex.of([]))).toEqual([]);
    expect(told(BudgetIndex.of([{ ...tenantOwner('b'), ...cost }]))).toEqual([]);
  });

  it('are those of its user, its token, all patterns that match its model, its tenant, and everybody, narrow before wide', () => {
    const budgets = BudgetIndex.of([
      { ...ORGANISATION, ...cost },
      { ...tenantOwner('a'), ...tokens },
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
      'tenant : tokens/day',
      'organisation : cost/month',
    ]);
    expect(told(budgets, { model: 'gpt-5', lineage: 'tok_2', user: null })).toEqual([
      'model gpt-*: cost/month',
      'tenant : tokens/day',
      'organisation : cost/month',
    ]);
    expect(told(budgets, { tenantId: 'b' })).toEqual(['organisation : cost/month']);
  });

  it('are of each user and token by itself', () => {
    const budgets = BudgetIndex.of([part('user', '*'), part('user', 'bob', tokens), part('token', '*', tokens)]);
    expect(told(budgets)).toEqual(['user alice: cost/month', 'token tok_1: tokens/day']);
    expect(told(budgets, { user: 'bob' })).toEqual(['user bob: cost/month tokens/day', 'token tok_1: tokens/day']);
    expect(told(budgets, { user: null })).toEqual(['token tok_1: tokens/day']);
  });

  it('are others once those of its tenant are read anew, and stay where those of another are', () => {
    const before = BudgetIndex.of([
      { ...tenantOwner('a'), ...cost },
      { ...tenantOwner('b'), ...cost },
      { ...ORGANISATION, ...cost },
    ]);
    const after = before.with(['a'], [{ ...tenantOwner('a'), ...tokens }]);
    expect(told(after)).toEqual(['tenant : tokens/day']);
    expect(told(after, { tenantId: 'b' })).toEqual(['tenant : cost/month']);
    expect(told(after.with(['b'], []), { tenantId: 'b' })).toEqual([]);
    expect(told(before)).toEqual(['tenant : cost/month', 'organisation : cost/month']);
  });

  it('are told with the same list for the same meters, so that a pool notices a change', () => {
    const all = METERS.map((meter) => ({ ...part('user', '*'), ...meter }));
    const metersOf = (budgets: BudgetIndex, user: string) => budgets.ofCall({ ...call, user })[0]?.meters;
    expect(metersOf(BudgetIndex.of(all), 'alice')).toEqual(METERS);
    const [one, other] = [BudgetIndex.of([part('user', '*')]), BudgetIndex.of([part('user', '*')])];
    expect(metersOf(one, 'alice')).toBe(metersOf(other, 'bob'));
  });
});
