import { Books } from '../support/books';
import { eventually } from '../support/department';
import { Gateway } from '../support/gateway';
import { failing, ScriptedProvider, whole, type Play } from '../support/scripted-provider';

/** Routes, keys and addresses of providers through the built gateway, over reloads and a sudden end. */

const KEY = 'a-providers-own-key-0001';
const OTHER_KEY = 'a-providers-own-key-0002';
const AZURE_KEY = 'an-azure-key-0003';

let one: ScriptedProvider;
let two: ScriptedProvider;
let gateway: Gateway;
let books: Books;
const tokens: Record<'any' | 'routeOnly', string> = { any: '', routeOnly: '' };

const providers = (key = KEY): Record<string, unknown> => {
  const common = { dialect: 'openai', internal: true };
  return {
    one: { ...common, baseUrl: one.url, apiKey: key },
    two: { ...common, baseUrl: two.url, apiKey: KEY },
    azure: { ...common, baseUrl: two.url, apiKey: AZURE_KEY, azure: { apiVersion: '2024-10-21' } },
    private: { dialect: 'openai', baseUrl: 'https://10.255.255.1', apiKey: KEY },
  };
};
const routes = { smart: { targets: ['cheap', 'dear'], retryMs: 30_000 } };

beforeAll(async () => {
  [one, two] = [await ScriptedProvider.start(), await ScriptedProvider.start()];
  gateway = await Gateway.start({ providers: providers(), config: { routes } });
  const models = { cheap: 'one', dear: 'two', 'azure-gpt': 'azure', hidden: 'private' };
  for (const [model, provider] of Object.entries(models))
    await gateway.must('PUT', `/api/v1/admin/models/${model}`, {
      ...{
        provider,
        upstreamModel: `${model}-there`,
        displayName: model,
        contextTokens: 8_000,
        maxOutputTokens: 1_000,
      },
    });
  const prices = Object.keys(models).map((model) => ({ model, input: model === 'dear' ? '30' : '3', output: '15' }));
  await gateway.must('POST', '/api/v1/admin/rate-cards', { currency: 'USD', note: 'test', prices });
  await gateway.must('POST', '/api/v1/admin/tenants', { id: 'finance', name: 'Finance' });
  const token = async (settings: object): Promise<string> =>
    (await gateway.must<{ token: string }>('POST', '/api/v1/admin/tenants/finance/tokens', { label: 't', ...settings }))
      .token;
  tokens.any = await token({});
  tokens.routeOnly = await token({ allowedModels: ['smart'] });
  books = await Books.open(gateway.place.database);
});
afterAll(async () => {
  await books.close();
  await gateway.remove();
  await Promise.all([one.close(), two.close()]);
});
beforeEach(() => {
  one.play(whole());
  two.play(whole());
});

const ask = (model: string, token = tokens.any) =>
  gateway.call('POST', '/v1/chat/completions', { model, max_tokens: 10, messages: [] }, token);

async function reload(change: Record<string, unknown>): Promise<void> {
  const reloads = async () =>
    (await gateway.must<{ items: unknown[] }>('GET', '/api/v1/admin/audit?actor=SIGHUP')).items;
  const before = (await reloads()).length;
  await gateway.configure(change);
  process.kill(gateway.process.pid as number, 'SIGHUP');
  await eventually(reloads, ({ length }) => length > before);
}

test('a route is listed among the models, and its own name is what a key may use', async () => {
  const listed = async (token: string): Promise<unknown[]> =>
    (await gateway.must<{ data: { id: string }[] }>('GET', '/v1/models', undefined, token)).data.map(({ id }) => id);
  expect(await listed(tokens.any)).toEqual(expect.arrayContaining(['smart', 'cheap', 'dear']));
  expect(await listed(tokens.routeOnly)).toEqual(['smart']);
  expect((await gateway.call('GET', '/v1/models/smart', undefined, tokens.routeOnly)).status).toBe(200);
  expect((await ask('smart', tokens.routeOnly)).status).toBe(200);
  expect((await ask('cheap', tokens.routeOnly)).body).toMatchObject({ error: { gateway_code: 'model_not_allowed' } });
});

test('what answers is billed, and what it costs follows from its row', async () => {
  one.play(failing(503));
  const answer = await ask('smart');
  expect([answer.status, answer.headers.get('x-openclawmu-model')]).toEqual([200, 'dear']);
  const id = answer.headers.get('x-openclawmu-request-id')?.slice('req_'.length);
  const row = await eventually(async () => (await books.calls('finance')).find((call) => call.id === id));
  expect(row).toMatchObject({ model: 'dear', status: 'actual', costNanos: 375_000n });
});

test('Azure is asked under its deployment, with its kind of key', async () => {
  expect((await ask('azure-gpt')).status).toBe(200);
  const [asked] = two.asked;
  expect(asked?.path).toBe('/openai/deployments/azure-gpt-there/chat/completions?api-version=2024-10-21');
  expect([asked?.headers['api-key'], asked?.headers.authorization]).toEqual([AZURE_KEY, undefined]);
});

test('an address of a private network is not reached, and a caller does not learn of it', async () => {
  const answer = await ask('hidden');
  expect([answer.status, answer.body]).toMatchObject([502, { error: { gateway_code: 'provider_unreachable' } }]);
  expect(answer.text).not.toContain('10.255');
  const { items } = await gateway.must<{ items: { name: string }[] }>('GET', '/api/v1/admin/providers');
  expect(items.find(({ name }) => name === 'private')).toMatchObject({
    lastFault: '10.255.255.1 is not an address of the public internet',
  });
});

test("a caller's key stays here, and a provider's there", async () => {
  const echo: Play = (response, { headers }) =>
    failing(400, {}, { error: { message: JSON.stringify(headers) } })(response, { headers, path: '', body: '' });
  one.play(echo);
  const answer = await ask('cheap');
  expect(answer.text).toContain('content-length');
  expect(JSON.stringify(one.asked)).not.toContain(tokens.any);
  expect(answer.text + gateway.logs).not.toContain(KEY);
  expect(gateway.logs).not.toContain(tokens.any);
});

test('a reload brings other keys and routes, without a restart', async () => {
  await reload({ providers: providers(OTHER_KEY), routes: { ...routes, wise: { targets: ['dear'] } } });
  expect((await ask('cheap')).status).toBe(200);
  expect(one.asked[0]?.headers.authorization).toBe(`Bearer ${OTHER_KEY}`);
  expect((await ask('wise')).status).toBe(200);
  await reload({ routes: {} });
  expect((await ask('wise')).body).toMatchObject({ error: { gateway_code: 'model_not_found' } });
  await reload({ routes });
});

test('providers are listed with how they fare, and so are their metrics', async () => {
  const { items } = await gateway.must<{ items: { name: string }[] }>('GET', '/api/v1/admin/providers');
  expect(items.map(({ name }) => name)).toEqual(['azure', 'local', 'one', 'private', 'two']);
  expect(items[2]).toMatchObject({ address: one.url, breaker: 'closed', keys: 1, waiting: 0 });
  const metrics = await gateway.call('GET', '/metrics');
  expect(metrics.text).toMatch(/^openclawmu_provider_breaker\{provider="two"\} 0$/m);
  expect(metrics.text).toMatch(/^openclawmu_provider_retries_total\{provider="one"\} [1-9]/m);
});

test('a gateway that dies between two attempts books the dearest, once', async () => {
  // Rows follow their answers: what was called before is not to come in between.
  const metrics = async (): Promise<string> => (await gateway.call('GET', '/metrics')).text;
  await eventually(metrics, (text) => /^openclawmu_unflushed_rows 0$/m.test(text));
  const before = (await books.calls('finance')).length;
  one.play(failing(503, { 'retry-after': '20' }));
  two.play(failing(503, { 'retry-after': '20' }));
  const lost = ask('smart').catch(() => undefined);
  await eventually(() => one.asked.length === 1 && two.asked.length === 1);
  await gateway.kill();
  await lost;
  gateway = await Gateway.start({ providers: providers(), config: { routes }, place: gateway.place });
  const calls = await eventually(
    () => books.calls('finance'),
    ({ length }) => length > before,
  );
  expect(calls).toHaveLength(before + 1);
  expect(calls.at(-1)).toMatchObject({ model: 'dear', status: 'unconfirmed', outcome: 'unknown' });
  for (const { leased } of await books.windows('finance')) expect(leased).toBe(0n);
  expect([one.asked.length, two.asked.length]).toEqual([1, 1]);
});
