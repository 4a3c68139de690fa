import { Client } from 'pg';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { readExposition } from '../support/exposition';
import { FakeProvider, type ReceivedRequest } from '../support/fake-provider';
import { anthropicClient, collect, openaiClient } from '../support/fake-provider/sdk-clients';
import { beside, Gateway } from '../support/gateway';
import { expectNothingLeft } from '../support/processes';

/** Answers that a department has kept: given again to the same question, to nobody else, for nothing, and in the books. */

let fake: FakeProvider;
let gateway: Gateway;

const CACHE = { maxSeconds: 3_600, maxAnswerBytes: 20_000 };

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake), config: { cache: CACHE } });
  await offerFakeModels(gateway);
});
afterAll(async () => {
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});

const CHAT = '/v1/chat/completions';
let questions = 0;
/** One that nobody has asked yet. */
const question = (model = 'fake-n3', more: object = {}): Record<string, unknown> => ({
  ...{ model, max_tokens: 50, messages: [{ role: 'user', content: `Question ${++questions}` }] },
  ...more,
});

async function keeping(options: Parameters<typeof createDepartment>[1] = {}): Promise<Department> {
  const department = await createDepartment(gateway, options);
  await gateway.must('PATCH', '/api/v1/tenant', { settings: { cacheSeconds: 600 } }, department.token);
  // Every process hears of it within moments.
  const probe = question('fake-n1');
  await eventually(
    () => ask(department, probe),
    ({ cache }) => cache !== null,
  );
  return department;
}

interface Told {
  readonly status: number;
  readonly cache: string | null;
  readonly age: string | null;
  readonly type: string | null;
  readonly requestId: string | null;
  readonly providersId: string | null;
  readonly text: string;
}

async function ask(
  { token }: Department,
  body: object,
  headers: Record<string, string> = {},
  path = CHAT,
  url = gateway.url,
  signal: AbortSignal | null = null,
): Promise<Told> {
  const answer = await fetch(url + path, {
    ...{ method: 'POST', signal },
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const told = (name: string): string | null => answer.headers.get(name);
  return {
    ...{ status: answer.status, cache: told('x-openclawmu-cache'), age: told('age'), type: told('content-type') },
    ...{ requestId: told('x-openclawmu-request-id'), providersId: told('x-request-id') ?? told('request-id') },
    text: await answer.text(),
  };
}

const requestsFor = (body: Record<string, unknown>): ReceivedRequest[] => {
  const [{ content }] = body['messages'] as [{ content: string }];
  return fake.requests.filter(({ json }) => JSON.stringify(json).includes(`"${content}"`));
};
const timesAsked = (body: Record<string, unknown>): number => requestsFor(body).length;

const WIRES: readonly (readonly [string, (stream: boolean) => Record<string, unknown>])[] = [
  [CHAT, (stream) => question('fake-n3', { stream })],
  ['/v1/messages', (stream) => question('claude/fake-n3', { stream })],
  // Translated: from chat completions to messages and back.
  [CHAT, (stream) => question('claude/fake-n4', { stream })],
];

test.each(WIRES.flatMap(([path, body]) => [false, true].map((stream) => [path, stream, body] as const)))(
  'on %s, streaming: %s, the same question gets the same answer, and the provider is asked once',
  async (path, stream, body) => {
    const department = await keeping();
    const asked = body(stream);
    const bought = await ask(department, asked, {}, path);
    expect(bought).toMatchObject({ status: 200, cache: 'miss', age: null });
    await kept(department, 1);
    const given = await ask(department, asked, {}, path);
    expect(given.cache).toBe('hit');
    expect(given).toMatchObject({ status: 200, text: bought.text, type: bought.type, providersId: null });
    expect(given.type).toMatch(stream ? /^text\/event-stream/ : /^application\/json/);
    expect(Number(given.age)).toBeLessThan(600);
    expect(given.requestId).toMatch(/^req_/);
    expect(given.requestId).not.toBe(bought.requestId);
    expect(timesAsked(asked)).toBe(1);
  },
);

test('the SDKs read what is kept like what is bought', async () => {
  const department = await keeping();
  const openai = openaiClient(gateway.url, department.token);
  const anthropic = anthropicClient(gateway.url, department.token);
  const messages = [{ role: 'user' as const, content: 'Said twice' }];
  const rounds = async () => ({
    chat: await openai.chat.completions.create({ model: 'fake-n3', messages }),
    chunks: await collect(openai.chat.completions.create({ model: 'fake-n3', messages, stream: true })),
    vectors: await openai.embeddings.create({ model: 'fake-n0', input: 'Said twice' }),
    events: await collect(openai.responses.create({ model: 'fake-n3', input: 'Said twice', stream: true })),
    message: await anthropic.messages.create({ model: 'claude/fake-n3', max_tokens: 9, messages }),
    text: await anthropic.messages.stream({ model: 'claude/fake-n3', max_tokens: 9, messages }).finalText(),
  });
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  const first = await rounds();
  const asked = fake.requests.length;
  await kept(department, 6);
  expect(plain(await rounds())).toEqual(plain(first));
  expect(fake.requests.length).toBe(asked);
});

/** Waits until so many of a department's answers are kept beside that of its probe. */
const kept = ({ id }: Department, count: number): Promise<unknown> =>
  eventually(
    async () => (await sql('SELECT FROM cached_answers WHERE tenant_id = $1', [id])).length,
    (rows) => rows === count + 1,
  );

async function sql(text: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client({
    connectionString: gateway.place.database.superuserUrl,
    options: '-c search_path=openclawmu',
  });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, [...parameters])).rows;
  } finally {
    await client.end();
  }
}

test('another department has to buy the same answer, and one that wants nothing kept is told nothing', async () => {
  const [one, other, plain] = [await keeping(), await keeping(), await createDepartment(gateway)];
  const asked = question();
  await ask(one, asked);
  await kept(one, 1);
  expect(await ask(other, asked)).toMatchObject({ status: 200, cache: 'miss' });
  for (const _ of [1, 2]) expect(await ask(plain, asked)).toMatchObject({ status: 200, cache: null, age: null });
  expect(timesAsked(asked)).toBe(4);
});

test('a caller can have it bought anew, or not kept at all', async () => {
  const department = await keeping();
  const asked = question();
  expect((await ask(department, asked, { 'cache-control': 'no-store' })).cache).toBeNull();
  expect((await ask(department, asked)).cache).toBe('miss');
  await kept(department, 1);
  expect((await ask(department, asked)).cache).toBe('hit');
  expect((await ask(department, asked, { 'cache-control': 'no-cache' })).cache).toBe('miss');
  expect((await ask(department, asked, { 'cache-control': 'no-store' })).cache).toBeNull();
  expect(timesAsked(asked)).toBe(4);
});

test('errors, answers that are too large, broken or of unknown cost, and what is looked up are not kept', async () => {
  const department = await keeping();
  const asked = [
    question('fake-e429'),
    question('fake-n50-s600'),
    question('fake-n3-u'),
    ...['fake-n5-t3', 'fake-n5-y3'].map((model) => question(model, { stream: true })),
  ];
  for (const body of asked) await ask(department, body).catch(() => undefined);
  // What is kept later is kept after these.
  await ask(department, question());
  await kept(department, 1);
  for (const body of asked) {
    const again = await ask(department, body).catch(() => null);
    expect(again?.cache).not.toBe('hit');
    expect(timesAsked(body)).toBe(2);
  }
});

interface Usage {
  readonly items: readonly {
    readonly requests: number;
    readonly cost: string;
    readonly cachedRequests: number;
    readonly saved: string;
  }[];
}

test('it costs nothing, is answered without any budget left, and stands in the books with what it saved', async () => {
  const department = await keeping({ budget: '5.00' });
  const asked = question('fake-n40');
  await ask(department, asked);
  await kept(department, 1);
  await gateway.must('PUT', `/api/v1/admin/tenants/${department.id}/budgets`, {
    ...{ metric: 'cost', period: 'month', limit: '0.0000001' },
  });
  await eventually(
    () => ask(department, question()),
    ({ status }) => status === 429,
  );
  const given = await ask(department, asked);
  expect(given).toMatchObject({ status: 200, cache: 'hit' });

  const usage = () => gateway.must<Usage>('GET', '/api/v1/tenant/usage?by=model', undefined, department.token);
  const { items } = await eventually(usage, ({ items: all }) => all.some(({ cachedRequests }) => cachedRequests > 0));
  const line = items.find(({ cachedRequests }) => cachedRequests > 0);
  expect(line).toMatchObject({ requests: 2, cachedRequests: 1, saved: line?.cost });
  expect(line?.cost).not.toBe('0.00');
  const rows = await sql(
    `SELECT status, outcome, reason, cost_nanos, saved_nanos, input_tokens, output_tokens, provider, provider_request_id FROM ledger
     WHERE tenant_id = $1 AND id = $2`,
    [department.id, given.requestId?.slice('req_'.length)],
  );
  expect(rows).toEqual([
    {
      ...{ status: 'actual', outcome: 'completed', reason: 'cached', cost_nanos: '0', saved_nanos: expect.any(String) },
      ...{ input_tokens: '0', output_tokens: '0', provider: 'fake-openai', provider_request_id: null },
    },
  ]);
  const metrics = await gateway.call('GET', '/metrics');
  for (const result of ['hit', 'miss', 'stored'])
    expect(metrics.text).toMatch(new RegExp(`openclawmu_cache_total\\{result="${result}"\\} [1-9]`));
  expect(metrics.text).toMatch(
    /openclawmu_calls_total\{dialect="openai",provider="fake-openai",outcome="cached"\} [1-9]/,
  );
});

test('whoever leads the model elsewhere, prices it anew or rules what may pass, gets no words of before', async () => {
  const department = await keeping();
  const model = { provider: 'fake-openai', displayName: 'Alias', contextTokens: 9_000, maxOutputTokens: 100 };
  const lead = (upstreamModel: string) =>
    gateway.must('PUT', '/api/v1/admin/models/alias', { ...model, upstreamModel });
  await lead('fake-n2');
  await gateway.must('POST', '/api/v1/admin/rate-cards', {
    ...{ currency: 'USD', prices: [{ model: '*', input: '1', output: '2' }] },
  });
  const asked = question('alias');
  await eventually(
    () => ask(department, asked),
    ({ status }) => status === 200,
  );
  await kept(department, 1);
  const before = await ask(department, asked);
  expect(before.cache).toBe('hit');
  await lead('fake-n5');
  const after = await eventually(
    () => ask(department, asked),
    ({ cache }) => cache === 'miss',
  );
  expect(after.text).not.toBe(before.text);
  await kept(department, 2);
  expect((await ask(department, asked)).text).toBe(after.text);
  await gateway.must('POST', '/api/v1/admin/rate-cards', {
    ...{ currency: 'USD', prices: [{ model: '*', input: '3', output: '15' }] },
  });
  await eventually(
    () => ask(department, asked),
    ({ cache }) => cache === 'miss',
  );
  await kept(department, 3);
  expect((await ask(department, asked)).cache).toBe('hit');
  await gateway.must('PUT', `/api/v1/admin/tenants/${department.id}/policy`, {
    rules: [{ name: 'people', action: 'mask', on: 'answer', detect: ['personal_data'] }],
  });
  await eventually(
    () => ask(department, asked),
    ({ cache }) => cache === 'miss',
  );
});

test('all processes share it; it can be emptied by either side, and goes with its department', async () => {
  const department = await keeping();
  const place = await beside(gateway.place);
  const second = await Gateway.start({ providers: fakeProviders(fake), config: { cache: CACHE }, place });
  try {
    const asked = question();
    await ask(department, asked);
    await kept(department, 1);
    expect(await ask(department, asked, {}, CHAT, second.url)).toMatchObject({ status: 200, cache: 'hit' });
    const cleared = await gateway.must<{ removed: number }>('DELETE', `/api/v1/admin/tenants/${department.id}/cache`);
    expect(cleared.removed).toBe(2);
    expect((await ask(department, asked, {}, CHAT, second.url)).cache).toBe('miss');
    await kept(department, 0);
    expect(await second.must('DELETE', '/api/v1/tenant/cache', undefined, department.token)).toEqual({ removed: 1 });
    expect((await ask(department, asked)).cache).toBe('miss');
    await kept(department, 0);
    await gateway.must('DELETE', `/api/v1/admin/tenants/${department.id}`);
    expect(await sql('SELECT FROM cached_answers WHERE tenant_id = $1', [department.id])).toEqual([]);
    expect((await gateway.call('DELETE', '/api/v1/admin/tenants/nobody/cache')).status).toBe(404);
  } finally {
    await second.kill();
  }
});

test('what the database holds tells nothing of what was asked or answered', async () => {
  const department = await keeping();
  const asked = question('fake-n3', { secret: 'Brightwater' });
  const { text } = await ask(department, asked);
  await kept(department, 1);
  const rows = await sql('SELECT * FROM cached_answers WHERE tenant_id = $1', [department.id]);
  for (const { answer, id } of rows as unknown as { answer: Buffer; id: Buffer }[])
    for (const plain of ['Brightwater', 'lorem', text]) {
      expect(answer.includes(plain)).toBe(false);
      expect(id.includes(plain)).toBe(false);
    }
});

const metric = async (name: string, result?: string): Promise<number> => {
  const { text } = await gateway.call('GET', '/metrics');
  const found = readExposition(text).find((one) => one.name === name && one.labels['result'] === result);
  return found?.value ?? 0;
};
const joined = (): Promise<number> => metric('openclawmu_cache_total', 'joined');

/** The `n`th request for what was asked, once the provider has it and is silent. */
async function stalled(asked: Record<string, unknown>, n: number): Promise<ReceivedRequest> {
  await fake.waitFor(() => requestsFor(asked)[n - 1]?.paused === true);
  return requestsFor(asked)[n - 1] as ReceivedRequest;
}

/** Calls that ask the same: the first is with the silent provider, and the others wait for its answer. */
async function together(
  asked: Record<string, unknown>,
  first: Department,
  others: readonly Department[],
  signals: readonly AbortSignal[] = [],
): Promise<readonly Promise<Told | null>[]> {
  const call = (department: Department, n: number): Promise<Told | null> =>
    ask(department, asked, {}, CHAT, gateway.url, signals[n]).catch(() => null);
  const calls = [call(first, 0)];
  await stalled(asked, 1);
  for (const [n, other] of others.entries()) {
    const before = await joined();
    calls.push(call(other, n + 1));
    await eventually(joined, (count) => count === before + 1);
  }
  return calls;
}

describe('calls that ask the same at the same time', () => {
  test.each([false, true])('are bought once, streaming: %s, and hold the budget of one', async (stream) => {
    const department = await keeping({ budget: '5.00' });
    const asked = question('fake-n5-silent', { stream });
    const calls = await together(asked, department, [department, department]);
    const standing = ['openclawmu_active_calls', 'openclawmu_open_holds'].map((name) => metric(name));
    expect(await Promise.all(standing)).toEqual([3, 1]);
    (await stalled(asked, 1)).resume();
    const [bought, ...given] = (await Promise.all(calls)) as Told[];
    expect(bought).toMatchObject({ status: 200, cache: 'miss', age: null });
    for (const one of given)
      expect(one).toMatchObject({ status: 200, cache: 'hit', age: '0', text: bought?.text, providersId: null });
    expect(timesAsked(asked)).toBe(1);
    const rows = await eventually(
      () =>
        sql('SELECT cost_nanos, saved_nanos FROM ledger WHERE tenant_id = $1 AND model = $2 ORDER BY id', [
          ...[department.id, asked['model']],
        ]),
      ({ length }) => length === 3,
    );
    const cost = rows[0]?.['cost_nanos'];
    const free = { cost_nanos: '0', saved_nanos: cost };
    expect(rows).toEqual([{ cost_nanos: cost, saved_nanos: null }, free, free]);
    await kept(department, 1);
  });

  test('wait for nobody of another department', async () => {
    const [one, other] = [await keeping(), await keeping()];
    const asked = question('fake-n5-silent');
    const before = await joined();
    const calls = [one, other].map((department) => ask(department, asked));
    for (const n of [1, 2]) (await stalled(asked, n)).resume();
    for (const { cache } of await Promise.all(calls)) expect(cache).toBe('miss');
    expect(await joined()).toBe(before);
  });

  test('are asked one at a time after an error, until one is answered', async () => {
    const department = await keeping();
    const asked = question('fake-n3');
    fake.script(
      (request) => requestsFor(asked).includes(request),
      { pauseAt: 'before-headers', error: 400 },
      { pauseAt: 'before-headers' },
    );
    const calls = await together(asked, department, [department, department]);
    (await stalled(asked, 1)).resume();
    (await stalled(asked, 2)).resume();
    expect(await Promise.all(calls)).toMatchObject([
      { status: 400, cache: 'miss' },
      { status: 200, cache: 'miss' },
      { status: 200, cache: 'hit' },
    ]);
    expect(timesAsked(asked)).toBe(2);
  });

  test('go on when the one they wait for is left by its client', async () => {
    const department = await keeping();
    const asked = question('fake-n5-silent');
    const leaving = new AbortController();
    const calls = await together(asked, department, [department, department], [leaving.signal]);
    leaving.abort();
    (await stalled(asked, 2)).resume();
    expect(await Promise.all(calls)).toMatchObject([null, { cache: 'miss' }, { status: 200, cache: 'hit' }]);
    expect(timesAsked(asked)).toBe(2);
  });

  test('are let go when the answer is not kept', async () => {
    const department = await keeping();
    const asked = question('fake-n50-s600-silent');
    const calls = await together(asked, department, [department, department]);
    (await stalled(asked, 1)).resume();
    // Both at once: neither waits for the other.
    const both = [await stalled(asked, 2), await stalled(asked, 3)];
    for (const request of both) request.resume();
    for (const told of await Promise.all(calls)) expect(told).toMatchObject({ status: 200, cache: 'miss' });
  });

  test('end at once when they are left, or their token is revoked', async () => {
    const department = await keeping();
    const { id, token } = await gateway.must<{ id: string; token: string }>(
      ...(['POST', `/api/v1/admin/tenants/${department.id}/tokens`, { label: 'other' }] as const),
    );
    const other = { ...department, token, tokenId: id };
    const asked = question('fake-n5-silent');
    const leaving = new AbortController();
    const signals = [new AbortController().signal, new AbortController().signal, leaving.signal];
    const calls = await together(asked, department, [other, department], signals);
    await gateway.must('POST', `/api/v1/admin/tenants/${department.id}/tokens/${id}/revoke`);
    expect(await calls[1]).toMatchObject({ status: 401 });
    leaving.abort();
    await eventually(
      () => metric('openclawmu_active_calls'),
      (count) => count === 1,
    );
    (await stalled(asked, 1)).resume();
    expect(await calls[0]).toMatchObject({ status: 200, cache: 'miss' });
    expect(timesAsked(asked)).toBe(1);
  });
});
