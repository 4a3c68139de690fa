import { Client } from 'pg';
import { eventually, type Department } from '../support/department';
import type { Gateway } from '../support/gateway';
import { loseProcess } from '../support/lost-process';
import { miscount } from '../support/miscount';

export interface AuditRecord {
  readonly actor: {
    readonly kind: string;
    readonly id: string | null;
    readonly via: string;
    readonly ip: string | null;
  };
  readonly action: string;
  readonly tenant: string | null;
  readonly target: { readonly kind: string; readonly id: string };
  readonly outcome: string;
  readonly requestId: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

/** What a case sets its scene with. */
export interface Stage {
  readonly gateway: Gateway;
  /** A new one, with a token. */
  readonly department: () => Promise<Department>;
}

/** One change and a variant of it that is refused. */
export interface Case {
  /** Whose owner makes it; left out, an administrator. */
  readonly by?: Department;
  readonly path: string;
  readonly body?: unknown;
  /** The record it must leave. */
  readonly record: Partial<AuditRecord>;
  /** Members that were and are; null where the thing was not, or is no more. */
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  /** The same route asked wrongly, by its body, its query or its path. */
  readonly wrong: { readonly path?: string; readonly body?: unknown; readonly status: 400 | 404 };
}

const ADMIN = '/api/v1/admin';
const MODEL = { provider: 'fake-openai', upstreamModel: 'fake', contextTokens: 1_000, maxOutputTokens: 100 };
const putModel = (gateway: Gateway, id: string) =>
  gateway.must('PUT', `${ADMIN}/models/${id}`, { ...MODEL, displayName: 'Old' });

const MONTHS = `${ADMIN}/ledger/months`;

/** Two months long over, with statements that were downloaded: they may leave the ledger. */
async function finishMonths(gateway: Gateway): Promise<void> {
  const owner = new Client({ connectionString: gateway.place.database.ownerUrl });
  await owner.connect();
  for (const month of ['2019-12', '2020-01']) {
    await owner.query('SELECT openclawmu.ensure_ledger_partition($1)', [`${month}-01T00:00:00Z`]);
    await gateway.must('POST', `${ADMIN}/statements`, { period: month });
    for (const file of ['bill.csv', 'digests.csv']) await gateway.call('GET', `${ADMIN}/statements/${month}/${file}`);
  }
  await owner.end();
  // An export is recorded behind the last byte.
  await eventually(
    () => gateway.must<{ items: { month: string; state: string }[] }>('GET', MONTHS),
    ({ items }) => items.filter(({ state }) => state.startsWith('detach')).length === 2,
  );
}

/** A department with one row in the ledger. */
async function billedCall(
  { department, gateway }: Stage,
  model = 'fake-n3',
): Promise<{ readonly id: string; readonly requestId: string }> {
  const { id, token } = await department();
  const messages = [{ role: 'user', content: 'Hello!' }];
  await gateway.call('POST', '/v1/chat/completions', { model, max_tokens: 50, messages }, token);
  const rows = () =>
    gateway.must<{ items: { requestId: string }[] }>('GET', '/api/v1/tenant/usage/requests', undefined, token);
  const { items } = await eventually(rows, (page) => page.items.length === 1);
  return { id, requestId: items[0]?.requestId as string };
}

export const AUDIT_CASES: Readonly<Record<string, (stage: Stage) => Promise<Case>>> = {
  'POST /api/v1/admin/tenants': () =>
    Promise.resolve({
      path: `${ADMIN}/tenants`,
      body: { id: 'audited', name: 'Audited' },
      record: { action: 'tenant.created', tenant: 'audited', target: { kind: 'tenant', id: 'audited' } },
      before: null,
      after: { id: 'audited', name: 'Audited', status: 'active' },
      wrong: { body: { id: 'Not An Id' }, status: 400 },
    }),
  'PATCH /api/v1/admin/tenants/:tenantId': async ({ department }) => {
    const made = await department();
    const { id } = made;
    return {
      path: `${ADMIN}/tenants/${id}`,
      body: { name: 'Renamed' },
      record: { action: 'tenant.changed', tenant: id, target: { kind: 'tenant', id } },
      before: { name: `Department ${id}` },
      after: { name: 'Renamed' },
      wrong: { body: { nmae: 'Renamed' }, status: 400 },
    };
  },
  'POST /api/v1/admin/tenants/:tenantId/suspend': async ({ department }) => {
    const made = await department();
    const { id } = made;
    return {
      path: `${ADMIN}/tenants/${id}/suspend`,
      record: { action: 'tenant.suspended', tenant: id, target: { kind: 'tenant', id } },
      before: { status: 'active' },
      after: { status: 'suspended' },
      wrong: { path: `${ADMIN}/tenants/nobody/suspend`, status: 404 },
    };
  },
  'POST /api/v1/admin/tenants/:tenantId/resume': async ({ department, gateway }) => {
    const made = await department();
    const { id } = made;
    await gateway.must('POST', `${ADMIN}/tenants/${id}/suspend`);
    return {
      path: `${ADMIN}/tenants/${id}/resume`,
      record: { action: 'tenant.resumed', tenant: id, target: { kind: 'tenant', id } },
      before: { status: 'suspended' },
      after: { status: 'active' },
      wrong: { path: `${ADMIN}/tenants/nobody/resume`, status: 404 },
    };
  },
  'DELETE /api/v1/admin/tenants/:tenantId': async ({ department }) => {
    const made = await department();
    const { id } = made;
    return {
      path: `${ADMIN}/tenants/${id}`,
      record: { action: 'tenant.deleted', tenant: id, target: { kind: 'tenant', id } },
      before: { status: 'active' },
      after: { status: 'deleted' },
      wrong: { path: `${ADMIN}/tenants/nobody`, status: 404 },
    };
  },
  'PUT /api/v1/admin/tenants/:tenantId/budgets': async ({ department, gateway }) => {
    const made = await department();
    const { id } = made;
    const budget = { metric: 'cost', period: 'day' };
    await gateway.must('PUT', `${ADMIN}/tenants/${id}/budgets`, { ...budget, limit: '1.00' });
    return {
      path: `${ADMIN}/tenants/${id}/budgets`,
      body: { ...budget, limit: '2.50' },
      record: { action: 'budget.set', tenant: id, target: { kind: 'budget', id: 'cost/day' } },
      before: { limit: '1.00' },
      after: { limit: '2.50' },
      wrong: { body: { ...budget, limit: 2.5 }, status: 400 },
    };
  },
  'POST /api/v1/admin/tenants/:tenantId/budgets/top-ups': async ({ department, gateway }) => {
    const made = await department();
    const { id } = made;
    const budget = { metric: 'cost', period: 'day' };
    await gateway.must('PUT', `${ADMIN}/tenants/${id}/budgets`, { ...budget, limit: '1.00' });
    return {
      path: `${ADMIN}/tenants/${id}/budgets/top-ups`,
      body: { ...budget, amount: '2.50', reason: 'Quarter end' },
      record: { action: 'budget.topped_up', tenant: id, target: { kind: 'budget', id: 'cost/day' } },
      before: { limit: '1.00', topUp: '0.00' },
      after: { limit: '1.00', topUp: '2.50' },
      wrong: { body: { ...budget, amount: '2.50' }, status: 400 },
    };
  },
  'DELETE /api/v1/admin/tenants/:tenantId/budgets': async ({ department, gateway }) => {
    const made = await department();
    const { id } = made;
    const path = `${ADMIN}/tenants/${id}/budgets`;
    await gateway.must('PUT', path, { metric: 'cost', period: 'month', limit: '9.00' });
    return {
      path: `${path}?metric=cost&period=month`,
      record: { action: 'budget.removed', tenant: id, target: { kind: 'budget', id: 'cost/month' } },
      before: { limit: '9.00' },
      after: null,
      wrong: { path: `${path}?metric=cost&period=year`, status: 400 },
    };
  },
  'PUT /api/v1/admin/tenants/:tenantId/limits': async ({ department, gateway }) => {
    const { id } = await department();
    const path = `${ADMIN}/tenants/${id}/limits`;
    await gateway.must('PUT', path, { requestsPerMinute: 600 });
    return {
      path,
      body: { requestsPerMinutePerToken: 60 },
      record: { action: 'limits.set', tenant: id, target: { kind: 'limits', id } },
      before: { requestsPerMinute: 600, requestsPerMinutePerToken: null },
      after: { requestsPerMinute: 600, requestsPerMinutePerToken: 60 },
      wrong: { body: { requestsPerMinute: 0 }, status: 400 },
    };
  },
  'PUT /api/v1/admin/tenants/:tenantId/policy': async ({ department, gateway }) => {
    const { id } = await department();
    const path = `${ADMIN}/tenants/${id}/policy`;
    await gateway.must('PUT', path, { maxOutputTokens: 4_000 });
    return {
      path,
      body: { rules: [{ name: 'keys', action: 'refuse', on: 'both', detect: ['secrets'] }] },
      record: { action: 'policy.set', tenant: id, target: { kind: 'policy', id } },
      before: { maxOutputTokens: 4_000, rules: [] },
      after: { maxOutputTokens: null, rules: [{ name: 'keys', action: 'refuse', on: 'both', detect: ['secrets'] }] },
      wrong: { body: { rules: [{ name: 'keys', action: 'refuse', on: 'both' }] }, status: 400 },
    };
  },
  'DELETE /api/v1/admin/tenants/:tenantId/policy': async ({ department, gateway }) => {
    const { id } = await department();
    const path = `${ADMIN}/tenants/${id}/policy`;
    await gateway.must('PUT', path, { maxOutputTokens: 4_000 });
    return {
      path,
      record: { action: 'policy.removed', tenant: id, target: { kind: 'policy', id } },
      before: { maxOutputTokens: 4_000 },
      after: null,
      wrong: { path: `${ADMIN}/tenants/nobody/policy`, status: 404 },
    };
  },
  'PUT /api/v1/admin/policy': async ({ gateway }) => {
    await gateway.must('PUT', `${ADMIN}/policy`, { maxOutputTokens: 9_000 });
    return {
      path: `${ADMIN}/policy`,
      body: { maxOutputTokens: 8_000 },
      record: { action: 'policy.set', tenant: null, target: { kind: 'policy', id: 'organisation' } },
      before: { maxOutputTokens: 9_000 },
      after: { maxOutputTokens: 8_000 },
      wrong: { body: { maxOutputTokens: 0 }, status: 400 },
    };
  },
  'DELETE /api/v1/admin/policy': async ({ gateway }) => {
    await gateway.must('PUT', `${ADMIN}/policy`, { maxOutputTokens: 9_000 });
    return {
      path: `${ADMIN}/policy`,
      record: { action: 'policy.removed', tenant: null, target: { kind: 'policy', id: 'organisation' } },
      before: { maxOutputTokens: 9_000 },
      after: null,
      wrong: { path: `${ADMIN}/policy/nobody`, status: 404 },
    };
  },
  'POST /api/v1/admin/policy/tests': async ({ department }) => {
    const { id } = await department();
    return {
      path: `${ADMIN}/policy/tests`,
      body: { tenant: id, text: 'ann@example.com' },
      record: { action: 'policy.tested', tenant: id, target: { kind: 'policy', id } },
      before: null,
      after: { on: 'request', characters: 15, isGiven: false },
      wrong: { body: { tenant: 'nobody', text: 'x' }, status: 404 },
    };
  },
  'DELETE /api/v1/admin/tenants/:tenantId/cache': async ({ department }) => {
    const { id } = await department();
    return {
      path: `${ADMIN}/tenants/${id}/cache`,
      record: { action: 'cache.cleared', tenant: id, target: { kind: 'cache', id } },
      before: { answers: 0, bytes: 0 },
      after: null,
      wrong: { path: `${ADMIN}/tenants/nobody/cache`, status: 404 },
    };
  },
  'PUT /api/v1/admin/budgets': async ({ gateway }) => {
    const budget = { metric: 'cost', period: 'day' };
    await gateway.must('PUT', `${ADMIN}/budgets`, { ...budget, limit: '1000000.00' });
    return {
      path: `${ADMIN}/budgets`,
      body: { ...budget, limit: '2000000.00' },
      record: { action: 'budget.set', tenant: null, target: { kind: 'budget', id: 'cost/day/organisation' } },
      before: { limit: '1000000.00' },
      after: { limit: '2000000.00' },
      wrong: { body: { ...budget, scope: 'tenant', limit: '1.00' }, status: 400 },
    };
  },
  'POST /api/v1/admin/budgets/top-ups': async ({ gateway }) => {
    const budget = { metric: 'tokens', period: 'day' };
    await gateway.must('PUT', `${ADMIN}/budgets`, { ...budget, limit: '1000000000' });
    return {
      path: `${ADMIN}/budgets/top-ups`,
      body: { ...budget, amount: '25', reason: 'Quarter end' },
      record: { action: 'budget.topped_up', tenant: null, target: { kind: 'budget', id: 'tokens/day/organisation' } },
      before: { topUp: '0' },
      after: { topUp: '25' },
      wrong: { body: { ...budget, amount: '25' }, status: 400 },
    };
  },
  'POST /api/v1/admin/budgets/repairs': async ({ department, gateway }) => {
    const { id } = await department();
    const part = { scope: 'model', target: 'miscounted' };
    await gateway.must('PUT', `${ADMIN}/tenants/${id}/budgets`, {
      metric: 'cost',
      period: 'day',
      ...part,
      limit: '1.00',
    });
    await miscount(gateway.place, id, 7);
    const budget = { kind: 'budget', id: 'cost/day/model:miscounted' };
    return {
      path: `${ADMIN}/budgets/repairs`,
      body: { reason: 'Miscounted' },
      record: { action: 'budget.repaired', tenant: id, target: budget },
      before: { tenantId: id, ...part, spent: '0.000000007', ledger: '0.00', difference: '0.000000007' },
      after: { tenantId: id, ...part, spent: '0.00', ledger: '0.00', difference: '0.00' },
      wrong: { body: {}, status: 400 },
    };
  },
  'DELETE /api/v1/admin/budgets': async ({ gateway }) => {
    await gateway.must('PUT', `${ADMIN}/budgets`, { metric: 'cost', period: 'month', limit: '9000000.00' });
    return {
      path: `${ADMIN}/budgets?metric=cost&period=month`,
      record: { action: 'budget.removed', tenant: null, target: { kind: 'budget', id: 'cost/month/organisation' } },
      before: { limit: '9000000.00' },
      after: null,
      wrong: { path: `${ADMIN}/budgets?metric=cost&period=year`, status: 400 },
    };
  },
  'POST /api/v1/admin/tenants/:tenantId/tokens': async ({ department }) => {
    const made = await department();
    const { id } = made;
    return {
      path: `${ADMIN}/tenants/${id}/tokens`,
      body: { label: 'audited' },
      record: { action: 'token.created', tenant: id, target: { kind: 'token', id: expect.any(String) as string } },
      before: null,
      after: { label: 'audited', tenantId: id, status: 'active' },
      wrong: { body: { label: 'audited', role: 'emperor' }, status: 400 },
    };
  },
  'POST /api/v1/admin/tenants/:tenantId/tokens/:tokenId/rotate': async ({ department }) => {
    const made = await department();
    const { id, tokenId } = made;
    return {
      path: `${ADMIN}/tenants/${id}/tokens/${tokenId}/rotate`,
      body: {},
      record: { action: 'token.rotated', tenant: id },
      before: { id: tokenId, status: 'active' },
      after: { new: { replaces: tokenId, status: 'active' } },
      wrong: { body: { gracePeriodSeconds: -1 }, status: 400 },
    };
  },
  'POST /api/v1/admin/tenants/:tenantId/tokens/:tokenId/revoke': async ({ department }) => {
    const made = await department();
    const { id, tokenId } = made;
    return {
      path: `${ADMIN}/tenants/${id}/tokens/${tokenId}/revoke`,
      record: { action: 'token.revoked', tenant: id, target: { kind: 'token', id: tokenId } },
      before: { status: 'active' },
      after: { status: 'revoked' },
      wrong: { path: `${ADMIN}/tenants/${id}/tokens/tok_nothing/revoke`, status: 404 },
    };
  },
  'POST /api/v1/admin/tokens/revoke': async ({ department }) => {
    const made = await department();
    const { id, token, tokenId } = made;
    return {
      path: `${ADMIN}/tokens/revoke`,
      body: { token },
      record: { action: 'token.revoked', tenant: id, target: { kind: 'token', id: tokenId } },
      before: { status: 'active' },
      after: { status: 'revoked' },
      wrong: { body: { token: 42 }, status: 400 },
    };
  },
  'PUT /api/v1/admin/models/:id': async ({ gateway }) => {
    await putModel(gateway, 'audited-a');
    return {
      path: `${ADMIN}/models/audited-a`,
      body: { ...MODEL, displayName: 'New' },
      record: { action: 'model.changed', tenant: null, target: { kind: 'model', id: 'audited-a' } },
      before: { displayName: 'Old' },
      after: { displayName: 'New' },
      wrong: { body: { ...MODEL, displayName: 'New', maxOutputTokens: -1 }, status: 400 },
    };
  },
  'DELETE /api/v1/admin/models/:id': async ({ gateway }) => {
    await putModel(gateway, 'audited-b');
    return {
      path: `${ADMIN}/models/audited-b`,
      record: { action: 'model.removed', tenant: null, target: { kind: 'model', id: 'audited-b' } },
      before: { displayName: 'Old' },
      after: null,
      wrong: { path: `${ADMIN}/models/nothing`, status: 404 },
    };
  },
  'POST /api/v1/admin/rate-cards': () =>
    Promise.resolve({
      path: `${ADMIN}/rate-cards`,
      body: { currency: 'USD', prices: [{ model: 'fake*', input: '1', output: '2' }] },
      record: { action: 'rate_card.imported', tenant: null },
      before: null,
      after: { currency: 'USD', version: expect.any(Number) },
      wrong: { body: { currency: 'USD', prices: [{ model: 'fake*', input: '1e3', output: '2' }] }, status: 400 },
    }),
  'POST /api/v1/admin/statements': async ({ department }) => {
    const { id: tenant } = await department();
    const id = `2020-02-${tenant}`;
    return {
      path: `${ADMIN}/statements`,
      body: { period: '2020-02', tenant },
      record: { action: 'statement.closed', tenant, target: { kind: 'statement', id } },
      before: null,
      after: { id, rows: 0, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      wrong: { body: { period: 'February' }, status: 400 },
    };
  },
  'POST /api/v1/admin/ledger/months/:month/rebuild': () => {
    const month = new Date().toISOString().slice(0, 7);
    return Promise.resolve({
      path: `${MONTHS}/${month}/rebuild`,
      record: { action: 'ledger.month_rebuilt', tenant: null, target: { kind: 'ledger month', id: month } },
      before: { state: 'open' },
      after: { state: 'open' },
      wrong: { path: `${MONTHS}/1999-01/rebuild`, status: 404 },
    });
  },
  'POST /api/v1/admin/ledger/months/:month/detach': async ({ gateway }) => {
    await finishMonths(gateway);
    return {
      path: `${MONTHS}/2020-01/detach`,
      record: { action: 'ledger.month_detached', tenant: null, target: { kind: 'ledger month', id: '2020-01' } },
      before: { state: 'detachable' },
      after: { state: 'detached', archivedTables: ['ledger_2020_01'] },
      wrong: { path: `${MONTHS}/1999-01/detach`, status: 404 },
    };
  },
  'POST /api/v1/admin/ledger/months/:month/attach': async ({ gateway }) => {
    await finishMonths(gateway);
    await gateway.must('POST', `${MONTHS}/2019-12/detach`);
    return {
      path: `${MONTHS}/2019-12/attach`,
      record: { action: 'ledger.month_attached', tenant: null, target: { kind: 'ledger month', id: '2019-12' } },
      before: { state: 'detached' },
      after: { state: 'detachable', archivedTables: [] },
      wrong: { path: `${MONTHS}/1999-01/attach`, status: 404 },
    };
  },
  'POST /api/v1/admin/deliveries/:delivery/runs': () =>
    Promise.resolve({
      path: `${ADMIN}/deliveries/audited/runs`,
      body: { period: '2020-02' },
      record: { action: 'delivery.requested', tenant: null, target: { kind: 'delivery', id: 'audited' } },
      before: null,
      after: { period: '2020-02', slot: expect.any(String) },
      wrong: { path: `${ADMIN}/deliveries/nobody/runs`, body: {}, status: 404 },
    }),
  'POST /api/v1/admin/rate-cards/imports': () =>
    Promise.resolve({
      path: `${ADMIN}/rate-cards/imports`,
      body: { format: 'csv', text: 'model,input,output\nfake*,1,2', currency: 'USD', merge: true },
      record: { action: 'rate_card.imported', tenant: null },
      before: null,
      after: { currency: 'USD', version: expect.any(Number) },
      wrong: { body: { format: 'csv', text: 'model,input,output\nfake*,1e3,2' }, status: 400 },
    }),
  'POST /api/v1/admin/gateway/lost-processes/:processId/resolve': async ({ department, gateway }) => {
    const { id: tenant } = await department();
    const id = await loseProcess(gateway.place, tenant);
    const leased = [{ tenantId: tenant, metric: 'cost', amount: '0.000000007' }];
    return {
      path: `${ADMIN}/gateway/lost-processes/${id}/resolve`,
      body: { how: 'spent', reason: 'burnt' },
      record: { action: 'lease.resolved', tenant: null, target: { kind: 'process', id } },
      before: { leased },
      after: { how: 'spent', leased },
      wrong: { body: { how: 'forgotten', reason: 'burnt' }, status: 400 },
    };
  },
  'POST /api/v1/admin/webhooks/endpoints/:name/test': () =>
    Promise.resolve({
      path: `${ADMIN}/webhooks/endpoints/audited/test`,
      record: { action: 'webhook.tested', tenant: null, target: { kind: 'webhook', id: 'audited' } },
      before: null,
      after: { endpoint: 'audited', event: 'webhook.test', state: 'pending' },
      wrong: { path: `${ADMIN}/webhooks/endpoints/nobody/test`, status: 404 },
    }),
  'POST /api/v1/admin/webhooks/deliveries/:deliveryId/retry': async ({ gateway }) => {
    const { id } = await gateway.must<{ id: string }>('POST', `${ADMIN}/webhooks/endpoints/audited/test`);
    return {
      path: `${ADMIN}/webhooks/deliveries/${id}/retry`,
      record: { action: 'webhook.retried', tenant: null, target: { kind: 'webhook_delivery', id } },
      before: { id, state: 'pending' },
      after: { id, state: 'pending', attempts: 0 },
      wrong: { path: `${ADMIN}/webhooks/deliveries/msg_nothing/retry`, status: 404 },
    };
  },
  'POST /api/v1/admin/ledger/rows/:requestId/corrections': async (stage) => {
    const { id, requestId } = await billedCall(stage);
    return {
      path: `${ADMIN}/ledger/rows/${requestId}/corrections`,
      body: { tokens: { input: 1_000_000 }, reason: 'Line 17 of the invoice' },
      record: { action: 'usage.corrected', tenant: id, target: { kind: 'ledger_row', id: requestId } },
      before: { rateCard: expect.any(Number) },
      after: { tokens: expect.objectContaining({ input: 1_000_000, output: 0 }) as unknown },
      wrong: { body: { tokens: { input: -1 }, reason: 'Line 17 of the invoice' }, status: 400 },
    };
  },
  'POST /api/v1/admin/ledger/resolutions': async (stage) => {
    const { id: tenant } = await billedCall(stage, 'fake-nohead');
    const body = { status: 'unconfirmed', tenant, before: '2999-01-01T00:00:00Z', as: 'zero', reason: 'Not billed' };
    return {
      path: `${ADMIN}/ledger/resolutions`,
      body,
      record: { action: 'usage.corrected', tenant, target: { kind: 'ledger_rows', id: 'unconfirmed' } },
      before: { cost: expect.any(String) },
      after: { as: 'zero', rows: 1 },
      wrong: { body: { ...body, as: 'half' }, status: 400 },
    };
  },
  'PATCH /api/v1/tenant': async ({ department }) => {
    const made = await department();
    const { id } = made;
    return {
      by: made,
      path: '/api/v1/tenant',
      body: { settings: { budgetContact: 'new@example.com' } },
      record: { action: 'tenant.changed', tenant: id, target: { kind: 'tenant', id } },
      before: { settings: {} },
      after: { settings: { budgetContact: 'new@example.com' } },
      wrong: { body: { settings: { apiKey: 'mine' } }, status: 400 },
    };
  },
  'DELETE /api/v1/tenant/cache': async ({ department }) => {
    const made = await department();
    const { id } = made;
    return {
      by: made,
      path: '/api/v1/tenant/cache',
      record: { action: 'cache.cleared', tenant: id, target: { kind: 'cache', id } },
      before: { answers: 0, bytes: 0 },
      after: null,
      wrong: { path: '/api/v1/tenant/cache/all', status: 404 },
    };
  },
  'POST /api/v1/tenant/tokens': async ({ department }) => {
    const made = await department();
    const { id } = made;
    return {
      by: made,
      path: '/api/v1/tenant/tokens',
      body: { label: 'own' },
      record: { action: 'token.created', tenant: id },
      before: null,
      after: { label: 'own', tenantId: id },
      wrong: { body: {}, status: 400 },
    };
  },
  'POST /api/v1/tenant/tokens/:tokenId/rotate': async ({ department }) => {
    const made = await department();
    const { id, tokenId } = made;
    return {
      by: made,
      path: `/api/v1/tenant/tokens/${tokenId}/rotate`,
      body: { gracePeriodSeconds: 60 },
      record: { action: 'token.rotated', tenant: id },
      before: { id: tokenId },
      after: { new: { replaces: tokenId } },
      wrong: { body: { gracePeriodSeconds: 'soon' }, status: 400 },
    };
  },
  'POST /api/v1/tenant/tokens/:tokenId/revoke': async ({ department, gateway }) => {
    const made = await department();
    const { id, token } = made;
    const other = await gateway.must<{ id: string }>('POST', '/api/v1/tenant/tokens', { label: 'x' }, token);
    return {
      by: made,
      path: `/api/v1/tenant/tokens/${other.id}/revoke`,
      record: { action: 'token.revoked', tenant: id, target: { kind: 'token', id: other.id } },
      before: { status: 'active' },
      after: { status: 'revoked' },
      wrong: { path: '/api/v1/tenant/tokens/tok_nothing/revoke', status: 404 },
    };
  },
};
