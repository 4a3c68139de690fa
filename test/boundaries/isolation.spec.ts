import { createDepartment, eventually, type Department } from '../support/department';
import { type FakeProvider, PROVIDER_KEY } from '../support/fake-provider';
import { type Gateway, type Answer } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';
import { casesFor, committedRoutes, type TableRoute } from '../support/route-table';

/** The wall between departments, tried on every route of the table with the ids of the neighbour. */

const PROMPT = 'the acquisition of Brightwater closes on Friday';
/** Both departments have a token of this name, so that it gives nobody away. */
const SHARED_LABEL = 'weekly reports';
const IDEMPOTENCY_KEY = 'acme-legal-weekly-token';

/** All that is A's and must never be seen by B. */
interface Neighbour extends Department {
  readonly requestId: string;
  readonly providerRequestId: string;
  readonly statementId: string;
  readonly cursor: string;
  /** What only A could have told: none of it is ever sent by B. */
  readonly private: readonly string[];
  /** What B is made to guess, and sends itself. */
  readonly ids: readonly string[];
}

let world: GatewayWorld;
let fake: FakeProvider;
let gateway: Gateway;
let a: Neighbour;
let b: Department;

beforeAll(async () => {
  world = await GatewayWorld.open();
  ({ fake, gateway } = world);
  a = await settleNeighbour();
  b = await createDepartment(gateway, { id: 'bravo', budget: '20.00' });
});
afterAll(() => world.close());

const CHAT = '/v1/chat/completions';
const chat = (fields: object = {}) => ({
  model: 'fake-n3',
  max_tokens: 50,
  messages: [{ role: 'user', content: 'Hello!' }],
  ...fields,
});

/** A department with a name, tokens, settings, a budget, a call on its bill, a closed month and things to say. */
async function settleNeighbour(): Promise<Neighbour> {
  const id = 'acme-legal';
  await gateway.must('POST', '/api/v1/admin/tenants', {
    id,
    name: 'Zephyr Counsel',
    costCenter: 'CC-778899',
    settings: { budgetContact: 'orchid@zephyr.example' },
  });
  await gateway.must('PUT', `/api/v1/admin/tenants/${id}/policy`, {
    rules: [{ name: 'marmalade', action: 'mask', on: 'both', words: ['Zephyrine'] }],
  });
  await gateway.must('PUT', `/api/v1/admin/tenants/${id}/budgets`, { metric: 'cost', period: 'month', limit: '77.77' });
  const created = await gateway.call<{ id: string; token: string; hint: string }>(
    'POST',
    `/api/v1/admin/tenants/${id}/tokens`,
    { label: 'saffron pipeline', role: 'owner' },
  );
  const { id: tokenId, token } = created.body;
  const second = await gateway.call<{ id: string; token: string }>(
    'POST',
    '/api/v1/tenant/tokens',
    { label: SHARED_LABEL },
    token,
    { 'idempotency-key': IDEMPOTENCY_KEY },
  );
  const model = 'fake-n3-i4711';
  await gateway.must('POST', CHAT, chat({ model, messages: [{ role: 'user', content: PROMPT }] }), token);
  const usage = '/api/v1/tenant/usage/requests';
  const list = () => gateway.must<{ items: Record<string, string>[] }>('GET', usage, undefined, token);
  const [row] = await eventually(
    async () => (await list()).items,
    (items) => items.length === 1,
  );
  const page = await gateway.must<{ nextCursor: string }>('GET', '/api/v1/tenant/tokens?limit=1', undefined, token);
  await gateway.must('POST', '/api/v1/admin/statements', { period: '2020-02' });
  const closed = { period: '2020-02', tenant: id };
  const { id: statementId } = await gateway.must<{ id: string }>('POST', '/api/v1/admin/statements', closed);
  const [requestId, providerRequestId] = [row?.['requestId'] as string, row?.['providerRequestId'] as string];
  expect([requestId, providerRequestId, page.nextCursor]).toEqual(Array(3).fill(expect.stringMatching(/.{10}/)));
  return {
    id,
    token,
    tokenId,
    requestId,
    providerRequestId,
    statementId,
    cursor: page.nextCursor,
    ids: [id, tokenId, second.body.id, requestId, statementId],
    private: [
      'Zephyr',
      'CC-778899',
      'orchid@',
      'saffron',
      'Brightwater',
      '77.77',
      'marmalade',
      model,
      providerRequestId,
      token,
      second.body.token,
      token.slice(-32),
    ],
  };
}

/** Whatever is told to the caller: status line aside, all of it. */
const told = ({ headers, text }: Answer): string => `${JSON.stringify([...headers])}\n${text}`;

/** B must have got its own view, an error that says nothing of A, or what does not depend on who asks. */
type Expectation = 'not found' | 'own' | 'refused' | 'own or not found';

interface Attempt {
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly expect: Expectation;
  /** The answer repeats what was asked for; then only what B did not send itself must be missing. */
  readonly echoes?: true;
}

const STATUSES: Readonly<Record<Expectation, readonly number[]>> = {
  'not found': [404],
  own: [200, 201],
  refused: [400, 404, 422],
  'own or not found': [200, 400, 404],
};

/** A's ids in every place of a query that a careless handler might read. */
const asNeighbour = (path: string): string => {
  const query = { tenant: a.id, tenantId: a.id, token: a.tokenId, tokenId: a.tokenId, requestId: a.requestId };
  return `${path}?${new URLSearchParams(query).toString()}`;
};
const list = (path: string): Attempt[] => [
  { path, expect: 'own' },
  { path: asNeighbour(path), expect: 'refused' },
  { path: `${path}?tenant=${a.id}`, expect: 'refused' },
  { path: `${path}?cursor=${encodeURIComponent(a.cursor)}`, expect: 'own or not found' },
];
const report = (path: string): Attempt[] => [
  { path: `${path}?layout=detail`, expect: 'own' },
  { path: `${path}?layout=period&tenant=${a.id}`, expect: 'refused' },
];
const modelCall = (path: string, model: string, input?: string): Attempt[] => {
  const headers = { 'anthropic-version': '2023-06-01' };
  const named = { ...headers, 'x-tenant-id': a.id, 'x-openclawmu-tenant': a.id };
  return [
    { path, headers, body: chat({ model, input }), expect: 'own' },
    {
      path: asNeighbour(path),
      headers,
      body: chat({ model, input, user: a.id, metadata: { user_id: a.id } }),
      expect: 'own',
    },
    { path, headers: named, body: chat({ model, input }), expect: 'own' },
  ];
};
const onToken = (path: (id: string) => string, body?: unknown): Attempt[] =>
  [a.tokenId, `${a.tokenId}%2f`, `${b.tokenId}/../${a.tokenId}`].map((id) => ({
    path: path(id),
    body,
    expect: 'not found',
  }));

/** Of A, and of the whole gateway. */
const onStatement = (file = ''): Attempt[] =>
  [a.statementId, '2020-02', `2020-02-${b.id}`].map((id) => ({
    path: `/api/v1/tenant/statements/${id}${file}`,
    expect: 'not found',
  }));

const CASES: Readonly<Record<string, () => Attempt[]>> = {
  'GET /api/v1/tenant': () => [
    { path: '/api/v1/tenant', expect: 'own' },
    { path: asNeighbour('/api/v1/tenant'), expect: 'own or not found' },
  ],
  'PATCH /api/v1/tenant': () => [
    { path: '/api/v1/tenant', body: { id: a.id, settings: { budgetContact: 'b@bravo.example' } }, expect: 'refused' },
    { path: '/api/v1/tenant', body: { tenantId: a.id }, expect: 'refused' },
    {
      path: asNeighbour('/api/v1/tenant'),
      body: { settings: { budgetContact: 'b@bravo.example' } },
      expect: 'own or not found',
    },
  ],
  'DELETE /api/v1/tenant/cache': () => [
    { path: '/api/v1/tenant/cache', expect: 'own' },
    { path: asNeighbour('/api/v1/tenant/cache'), expect: 'own or not found' },
  ],
  'GET /api/v1/tenant/billing/report.csv': () => report('/api/v1/tenant/billing/report.csv'),
  'GET /api/v1/tenant/billing/report.manifest.json': () => report('/api/v1/tenant/billing/report.manifest.json'),
  'GET /api/v1/tenant/budgets': () => [
    { path: '/api/v1/tenant/budgets', expect: 'own' },
    { path: asNeighbour('/api/v1/tenant/budgets'), expect: 'own or not found' },
  ],
  'GET /api/v1/tenant/policy': () => [
    { path: '/api/v1/tenant/policy', expect: 'own' },
    { path: asNeighbour('/api/v1/tenant/policy'), expect: 'own or not found' },
  ],
  'GET /api/v1/tenant/statements': () => list('/api/v1/tenant/statements'),
  'GET /api/v1/tenant/statements/:statementId': () => onStatement(),
  'GET /api/v1/tenant/statements/:statementId/bill.csv': () => onStatement('/bill.csv'),
  'GET /api/v1/tenant/statements/:statementId/digests.csv': () => onStatement('/digests.csv'),
  'GET /api/v1/tenant/tokens': () => list('/api/v1/tenant/tokens'),
  'POST /api/v1/tenant/tokens': () => [
    { path: '/api/v1/tenant/tokens', body: { label: 'mine', tenantId: a.id }, expect: 'refused' },
    { path: '/api/v1/tenant/tokens', body: { label: 'mine', replaces: a.tokenId }, expect: 'refused' },
    // The key under which A's new token is remembered, with A's own request: B must get a token of B's.
    {
      path: '/api/v1/tenant/tokens',
      body: { label: SHARED_LABEL },
      headers: { 'idempotency-key': IDEMPOTENCY_KEY },
      expect: 'own',
    },
  ],
  'GET /api/v1/tenant/tokens/:tokenId': () => onToken((id) => `/api/v1/tenant/tokens/${id}`),
  'POST /api/v1/tenant/tokens/:tokenId/revoke': () => onToken((id) => `/api/v1/tenant/tokens/${id}/revoke`),
  'POST /api/v1/tenant/tokens/:tokenId/rotate': () => onToken((id) => `/api/v1/tenant/tokens/${id}/rotate`, {}),
  'GET /api/v1/tenant/usage': () => [
    { path: '/api/v1/tenant/usage', expect: 'own' },
    { path: '/api/v1/tenant/usage?by=token', expect: 'own' },
    { path: '/api/v1/tenant/usage?by=tenant', expect: 'refused' },
    { path: `/api/v1/tenant/usage?tenant=${a.id}`, expect: 'refused' },
  ],
  'GET /api/v1/tenant/usage/requests': () => [
    ...list('/api/v1/tenant/usage/requests'),
    { path: `/api/v1/tenant/usage/requests?token=${a.tokenId}`, expect: 'own' },
  ],
  'GET /api/v1/tenant/usage/requests/:requestId': () => [
    { path: `/api/v1/tenant/usage/requests/${a.requestId}`, expect: 'not found' },
    { path: `/api/v1/tenant/usage/requests/${a.requestId.toUpperCase()}`, expect: 'not found' },
  ],
  'POST /v1/chat/completions': () => modelCall(CHAT, 'fake-n3'),
  'POST /v1/embeddings': () => modelCall('/v1/embeddings', 'fake', 'Hello!'),
  'POST /v1/messages': () => modelCall('/v1/messages', 'claude/fake-n3'),
  'POST /v1/messages/count_tokens': () => modelCall('/v1/messages/count_tokens', 'claude/fake-n3'),
  'POST /v1/responses': () => modelCall('/v1/responses', 'fake-n3', 'Hello!'),
  'GET /v1/models': () => [{ path: asNeighbour('/v1/models'), expect: 'own' }],
  'GET /v1/models/*id': () => [
    { path: `/v1/models/${a.id}`, expect: 'not found', echoes: true },
    { path: `/v1/models/${a.id}/${a.tokenId}`, expect: 'not found', echoes: true },
  ],
};

const routes = committedRoutes();
const tenantRoutes = routes.filter(({ audience }) => audience === 'tenant');
const adminRoutes = routes.filter(({ audience }) => audience === 'admin');

describe("B's owner with A's ids", () => {
  test.each(casesFor(tenantRoutes, CASES))('%s', async (_, { method }, attempts) => {
    const logged = gateway.logs.length;
    for (const attempt of attempts()) {
      const { path, body, headers } = attempt;
      const answer = await gateway.call(method, path, body, b.token, headers);
      if (!STATUSES[attempt.expect].includes(answer.status))
        throw new Error(`${method} ${path} should be ${attempt.expect}, not ${answer.status}: ${answer.text}`);
      const secrets = attempt.echoes ? a.private : [...a.private, ...a.ids];
      expect(secrets.filter((secret) => told(answer).includes(secret))).toEqual([]);
    }
    const lines = gateway.logs.slice(logged);
    expect(a.private.filter((secret) => lines.includes(secret))).toEqual([]);
  });

  test('cannot tell a token, a call or a bill of A from one that never was', async () => {
    const pairs = [
      [`/api/v1/tenant/tokens/${a.tokenId}`, '/api/v1/tenant/tokens/tok_00000000000070008000000000000000'],
      [
        `/api/v1/tenant/usage/requests/${a.requestId}`,
        '/api/v1/tenant/usage/requests/req_00000000000070008000000000000000',
      ],
      [`/api/v1/tenant/statements/${a.statementId}`, '/api/v1/tenant/statements/2020-02-nobody'],
    ] as const;
    for (const [foreign, missing] of pairs) {
      const [one, other] = [
        await gateway.call('GET', foreign, undefined, b.token),
        await gateway.call('GET', missing, undefined, b.token),
      ];
      expect({ ...one.body, requestId: '' }).toEqual({ ...other.body, requestId: '' });
    }
  });

  test('has changed nothing of A', async () => {
    const { items } = await gateway.must<{ items: { label: string; status: string }[] }>(
      'GET',
      '/api/v1/tenant/tokens',
      undefined,
      a.token,
    );
    expect(items.map(({ label, status }) => [label, status]).sort()).toEqual([
      ['saffron pipeline', 'active'],
      [SHARED_LABEL, 'active'],
    ]);
    expect(await gateway.must('GET', '/api/v1/tenant', undefined, a.token)).toMatchObject({
      name: 'Zephyr Counsel',
      settings: { budgetContact: 'orchid@zephyr.example' },
    });
  });

  test('is billed for its own calls, and A for its one', async () => {
    const { calls } = fake.tally();
    const tenants = await eventually(
      async () =>
        (
          await gateway.must<{ items: { tenant: string }[] }>('GET', '/api/v1/admin/usage/requests?limit=200')
        ).items.map(({ tenant }) => tenant),
      (all) => all.length === calls,
    );
    expect(tenants.filter((tenant) => tenant === a.id)).toHaveLength(1);
    expect(tenants.filter((tenant) => tenant === b.id)).toHaveLength(calls - 1);
  });
});

/** A path of the route, with A's ids in the place of its parameters. */
const filled = ({ path }: TableRoute): string =>
  path
    .replace(':tenantId', a.id)
    .replace(':tokenId', a.tokenId)
    .replace(':requestId', a.requestId)
    .replace(':statementId', a.statementId)
    .replace(/:id|\*id/, 'fake')
    .replace(':delivery', 'warehouse')
    .replace(':version', '1')
    .replace(':processId', '01a203b1-9c1e-7a44-8f5b-2a9d1c0e7f11');

describe('the wrong key', () => {
  const bodyFor = (method: string): object | undefined => (method === 'GET' || method === 'DELETE' ? undefined : {});

  test.each(adminRoutes.map((route) => [route.name, route] as const))("a tenant's: %s", async (_, route) => {
    const answer = await gateway.call(route.method, filled(route), bodyFor(route.method), b.token);
    expect({ status: answer.status, code: answer.body['code'] }).toEqual({ status: 403, code: 'permission_denied' });
    expect(answer.text).toContain('This route is for an admin key');
    expect(a.private.filter((secret) => told(answer).includes(secret))).toEqual([]);
  });

  test.each(tenantRoutes.map((route) => [route.name, route] as const))("an admin's: %s", async (_, route) => {
    const answer = await gateway.call(route.method, filled(route), bodyFor(route.method), gateway.place.keys.admin);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('permission_denied');
    expect(answer.text).toContain("This route is for a tenant's token");
  });

  test.each([...adminRoutes, ...tenantRoutes].map((route) => [route.name, route] as const))(
    'none: %s',
    async (_, route) => {
      const answer = await gateway.call(route.method, filled(route), bodyFor(route.method), '');
      expect(answer.status).toBe(401);
      expect(answer.headers.get('x-should-retry')).toBe('false');
    },
  );

  test('is in the audit log, for every admin route that was tried', async () => {
    interface Refusal {
      readonly actor: { kind: string; id: string | null };
      readonly target: { id: string };
      readonly after: { code: string; status: number; count?: number; callers?: Record<string, number> };
    }
    const byTenant = ({ actor }: Refusal) => actor.kind === 'tenant' && actor.id === b.tokenId;
    const anonymous = ({ actor }: Refusal) => actor.kind === 'anonymous';
    const counted = (refusals: Refusal[], of: (refusal: Refusal) => boolean, caller: RegExp): number => {
      const single = refusals.filter(of).length;
      const summed = refusals.flatMap(({ after }) => Object.entries(after.callers ?? {}));
      return single + summed.filter(([name]) => caller.test(name)).reduce((n, [, count]) => n + count, 0);
    };
    // Above a bounded rate refusals are summed up, which takes some seconds.
    const refusals = await eventually(
      async () =>
        (await gateway.must<{ items: Refusal[] }>('GET', '/api/v1/admin/audit?action=access.refused&limit=200')).items,
      (all) =>
        counted(all, byTenant, new RegExp(b.tokenId)) >= adminRoutes.length &&
        counted(all, anonymous, /^anonymous/) >= adminRoutes.length,
      25_000,
    );
    expect(counted(refusals, byTenant, new RegExp(b.tokenId))).toBe(adminRoutes.length);
    expect(counted(refusals, anonymous, /^anonymous/)).toBe(adminRoutes.length);
    const named = new Set(refusals.map(({ target }) => target.id));
    for (const route of adminRoutes.slice(0, 20)) expect(named).toContain(`${route.method} ${filled(route)}`);
  }, 40_000);
});

test('no log line holds a prompt, a key or a token', () => {
  const { admin, finance, security } = gateway.place.keys;
  for (const secret of [PROMPT, a.token, b.token, admin, finance, security, PROVIDER_KEY])
    expect(gateway.logs).not.toContain(secret);
});
