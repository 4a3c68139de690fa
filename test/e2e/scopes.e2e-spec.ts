import { type Books, sum } from '../support/books';
import { createDepartment, eventually, type Department } from '../support/department';
import type { Gateway } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';
import { miscount } from '../support/miscount';

/** Budgets of models, tokens, end users and the organisation, as callers and administrators meet them. */

type Dialect = 'openai' | 'anthropic';

interface Call {
  readonly department: Department;
  readonly dialect: Dialect;
  readonly model?: string;
  readonly user?: string;
}

interface Answer {
  readonly status: number;
  readonly error: Readonly<Record<string, unknown>>;
}

interface BudgetView {
  readonly scope: string;
  readonly target: string | null;
  readonly limit: string | null;
  readonly spent: string;
  readonly held: string;
}

let world: GatewayWorld;
let gateway: Gateway;
let books: Books;

beforeAll(async () => {
  world = await GatewayWorld.open();
  ({ books, gateway } = world);
});
afterAll(() => world.close());

async function call({ department, dialect, model = 'fake-n5', user }: Call): Promise<Answer> {
  const isOpenai = dialect === 'openai';
  const asker = user === undefined ? {} : isOpenai ? { user } : { metadata: { user_id: user } };
  const response = await fetch(`${gateway.url}${isOpenai ? '/v1/chat/completions' : '/v1/messages'}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${department.token}`,
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
    },
    body: JSON.stringify({
      model: isOpenai ? model : `claude/${model}`,
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Hello!' }],
      ...asker,
    }),
  });
  const body = (await response.json()) as { error?: Record<string, unknown> };
  return { status: response.status, error: body.error ?? {} };
}

const setBudget = (path: string, budget: Record<string, unknown>): Promise<BudgetView> =>
  gateway.must<BudgetView>('PUT', path, { metric: 'cost', period: 'month', ...budget });

const pathOf = ({ id }: Department): string => `/api/v1/admin/tenants/${id}/budgets`;

describe.each<Dialect>(['openai', 'anthropic'])('a call in the dialect of %s', (dialect) => {
  test.each<[string, (department: Department) => { scope: string; target: string }, Partial<Call>]>([
    [
      'its model',
      () => ({ scope: 'model', target: dialect === 'openai' ? 'fake-n*' : 'claude/fake-n*' }),
      { model: 'fake-e500' },
    ],
    ['its token', ({ tokenId }) => ({ scope: 'token', target: tokenId }), {}],
    ['its end user', () => ({ scope: 'user', target: 'alice' }), { user: 'bob' }],
    ['each end user', () => ({ scope: 'user', target: '*' }), { user: undefined }],
  ])('is refused by the budget of %s, which is named, and others are not', async (_, partOf, other) => {
    const department = await createDepartment(gateway);
    const part = partOf(department);
    await setBudget(pathOf(department), { ...part, limit: '0.000001' });
    const mine = { department, dialect, user: 'alice' };
    const refused = await eventually(
      () => call(mine),
      ({ status }) => status === 429,
    );
    expect(refused.error).toMatchObject({
      gateway_code: 'budget_exceeded',
      scope: part.scope,
      target: part.target === '*' ? 'alice' : part.target,
      metric: 'cost',
      period: 'month',
      limit: '0.000001',
      held: '0.00',
      resetAt: expect.any(String) as string,
    });
    if (part.scope === 'token') return;
    expect((await call({ ...mine, ...other })).status).not.toBe(429);
  });

  test('counts in every budget it belongs to, by what the ledger says', async () => {
    const department = await createDepartment(gateway);
    const parts = [
      { scope: 'model', target: dialect === 'openai' ? 'fake-n5' : 'claude/*' },
      { scope: 'token', target: department.tokenId },
      { scope: 'user', target: 'alice' },
    ];
    // One of them after the call: it finds what was used.
    const late = { scope: 'user', target: 'alice' };
    for (const part of parts.slice(0, 2)) await setBudget(pathOf(department), { ...part, limit: '5' });
    expect((await call({ department, dialect, user: 'alice' })).status).toBe(200);
    await eventually(async () => (await books.calls(department.id)).length === 1);
    const [row] = await books.calls(department.id);
    await setBudget(pathOf(department), { ...late, limit: '5' });
    const { items } = await gateway.must<{ items: BudgetView[] }>(
      'GET',
      '/api/v1/tenant/budgets',
      undefined,
      department.token,
    );
    const counted = items.filter(({ scope }) => scope !== 'tenant');
    expect(counted.map(({ scope, target }) => ({ scope, target }))).toEqual(parts);
    for (const { spent } of counted) expect(BigInt(Math.round(Number(spent) * 1e9))).toBe(row?.costNanos);
    expect(row?.costNanos).toBeGreaterThan(0n);
  });

  test('is refused by the budget of the organisation, without its figures', async () => {
    const department = await createDepartment(gateway);
    await setBudget('/api/v1/admin/budgets', { limit: '0.000001' });
    const refused = await eventually(
      () => call({ department, dialect }),
      ({ status }) => status === 429,
    );
    expect(refused.error).toMatchObject({ gateway_code: 'budget_exceeded', scope: 'organisation', period: 'month' });
    for (const figure of ['limit', 'spent', 'held']) expect(refused.error).not.toHaveProperty(figure);
    await gateway.must('DELETE', '/api/v1/admin/budgets?metric=cost&period=month');
    await eventually(
      () => call({ department, dialect }),
      ({ status }) => status === 200,
    );
    const seen = await gateway.must<unknown>('GET', '/api/v1/tenant/budgets', undefined, department.token);
    expect(JSON.stringify(seen)).not.toContain('organisation');
  });
});

test('the budget of a token goes on when it is rotated', async () => {
  const department = await createDepartment(gateway);
  await setBudget(pathOf(department), { scope: 'token', target: '*', limit: '5' });
  expect((await call({ department, dialect: 'openai' })).status).toBe(200);
  const path = `/api/v1/admin/tenants/${department.id}/tokens/${department.tokenId}/rotate`;
  const next = await gateway.must<{ id: string; token: string }>('POST', path, { gracePeriodSeconds: 60 });
  const rotated = { ...department, token: next.token };
  for (const each of [rotated, department])
    expect((await call({ department: each, dialect: 'openai' })).status).toBe(200);
  await eventually(async () => (await books.calls(department.id)).length === 3);
  const used = sum((await books.calls(department.id)).map(({ costNanos }) => costNanos));
  const own = { scope: 'token', target: next.id, limit: '0.000001' };
  const standing = await setBudget(pathOf(department), own);
  expect(standing.target).toBe(department.tokenId);
  expect(BigInt(Math.round(Number(standing.spent) * 1e9))).toBe(used);
  for (const each of [rotated, department]) {
    const refused = await eventually(
      () => call({ department: each, dialect: 'openai' }),
      ({ status }) => status === 429,
    );
    expect(refused.error).toMatchObject({ scope: 'token', target: department.tokenId });
  }
  const windows = await books.query("SELECT target FROM budget_windows WHERE tenant_id = $1 AND scope = 'token'", [
    department.id,
  ]);
  expect(windows).toEqual([{ target: department.tokenId }]);
});

test('what budgets have counted is compared with the ledger, and put right', async () => {
  const department = await createDepartment(gateway, { budget: '10' });
  const parts = [
    { scope: 'model', target: 'fake-n*' },
    { scope: 'token', target: '*' },
    { scope: 'user', target: '*' },
  ];
  for (const part of parts) await setBudget(pathOf(department), { ...part, limit: '5' });
  await setBudget('/api/v1/admin/budgets', { limit: '1000' });
  for (const user of ['alice', 'bob']) expect((await call({ department, dialect: 'openai', user })).status).toBe(200);
  await eventually(async () => (await books.calls(department.id)).length === 2);
  const agreed = await gateway.must<{ windows: number }>('GET', '/api/v1/admin/budgets/check');
  expect(agreed).toMatchObject({ ok: true, differences: 0, items: [] });

  const spent = () =>
    books.query('SELECT id, spent FROM budget_windows WHERE tenant_id = $1 ORDER BY id', [department.id]);
  const healthy = await spent();
  expect(healthy).toHaveLength(1 + 1 + 1 + 2);
  await miscount(gateway.place, department.id, -1);
  const found = await gateway.must<{ items: object[] }>('GET', '/api/v1/admin/budgets/check');
  expect(found).toMatchObject({ ok: false, windows: agreed.windows, differences: healthy.length });
  for (const difference of found.items)
    expect(difference).toMatchObject({
      tenantId: department.id,
      difference: expect.stringMatching(/^-(1|0\.000000001)$/) as string,
    });
  const repaired = await gateway.must('POST', '/api/v1/admin/budgets/repairs', { reason: 'Counted too little' });
  expect(repaired).toEqual({ windows: agreed.windows, repaired: healthy.length, items: found.items });
  expect(await spent()).toEqual(healthy);
  expect(await gateway.must('GET', '/api/v1/admin/budgets/check')).toEqual(agreed);
  await gateway.must('DELETE', '/api/v1/admin/budgets?metric=cost&period=month');
});

test('an end user whose name is none counts by its digest', async () => {
  const department = await createDepartment(gateway);
  expect((await call({ department, dialect: 'anthropic', user: `{"session": "${'x'.repeat(80)}"}` })).status).toBe(200);
  await eventually(async () => (await books.calls(department.id)).length === 1);
  const [row] = await books.query('SELECT end_user FROM ledger WHERE tenant_id = $1', [department.id]);
  expect(row?.['end_user']).toMatch(/^sha256:[0-9a-f]{32}$/);
});
