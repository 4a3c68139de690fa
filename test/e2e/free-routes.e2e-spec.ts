import { createDepartment, eventually, type Department } from '../support/department';
import { type FakeProvider, type ReceivedRequest } from '../support/fake-provider';
import { postRaw, type RawAnswer } from '../support/fake-provider/raw-client';
import type { Gateway } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';

/** What the model APIs offer beside answers, and nobody pays for. */
let world: GatewayWorld;
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;

beforeAll(async () => {
  world = await GatewayWorld.open();
  ({ fake, gateway } = world);
  department = await createDepartment(gateway, { budget: '1000.00' });
});
afterAll(() => world.close());

const MESSAGES = '/v1/messages';
const VERSION = { 'anthropic-version': '2026-10-21' };
const messages = [{ role: 'user', content: 'Hello!' }];
const bearer = (token = department.token): Record<string, string> => ({ authorization: `Bearer ${token}` });
const ask = (path: string, body: object, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  postRaw(
    gateway.url + path,
    { 'content-type': 'application/json', ...bearer(), ...VERSION, ...headers },
    JSON.stringify(body),
  );
const json = ({ body }: RawAnswer): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;
const errorOf = (answer: RawAnswer) => json(answer)['error'] as Record<string, unknown>;

describe('the list of models', () => {
  const list = async (query: string, headers: Record<string, string> = VERSION) => {
    const answer = await fetch(`${gateway.url}/v1/models${query}`, { headers: { ...bearer(), ...headers } });
    return (await answer.json()) as { data: { id: string }[]; has_more?: boolean; last_id?: string; error?: object };
  };

  test('comes in pages to clients of the Anthropic API, and whole to the others', async () => {
    const model = {
      provider: 'fake-openai',
      upstreamModel: 'fake',
      displayName: 'F',
      contextTokens: 9,
      maxOutputTokens: 9,
    };
    for (const id of ['fake-listed', 'fake-listed-too']) await gateway.must('PUT', `/api/v1/admin/models/${id}`, model);
    const all = (await list('', {})).data.map(({ id }) => id);
    const first = await list('?limit=1');
    expect(first).toMatchObject({ data: [{ id: all[0], type: 'model' }], has_more: true, last_id: all[0] });
    const rest = await list(`?limit=1000&after_id=${encodeURIComponent(all[0] as string)}`);
    expect(rest).toMatchObject({ data: all.slice(1).map((id) => ({ id })), has_more: false });
    expect(await list('?limit=0')).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });

  test.each(['local/demo', 'local%2Fdemo'])('shows %s, escaped or not', async (id) => {
    for (const headers of [{}, VERSION])
      expect(await list(`/${id}`, headers as Record<string, string>)).toMatchObject({ id: 'local/demo' });
  });
});

describe('counting the tokens of a message', () => {
  const COUNT = `${MESSAGES}/count_tokens`;
  const count = (model: string, rest: object = {}, headers: Record<string, string> = {}): Promise<RawAnswer> =>
    ask(`${COUNT}?beta=true`, { model, messages, ...rest }, headers);

  test('is the provider’s matter, and gets there as sent but for what is the company’s', async () => {
    const answer = await count('claude/fake', { tags: ['t'], x_from_2031: 1 });
    expect([answer.status, json(answer)]).toEqual([200, { input_tokens: expect.any(Number) }]);
    const { url, json: received, headers } = fake.requests.at(-1) as ReceivedRequest;
    expect(url).toBe(`${COUNT}?beta=true`);
    expect(received).toEqual({ model: 'claude/fake', messages, x_from_2031: 1 });
    expect(headers).toMatchObject(VERSION);
  });

  test('costs nothing, and works with a spent budget', async () => {
    const { token } = await createDepartment(gateway, { budget: '0.000001' });
    const call = { model: 'claude/fake-n1', max_tokens: 50, messages };
    expect((await ask(MESSAGES, call, bearer(token))).status).toBe(429);
    expect((await count('claude/fake', {}, bearer(token))).status).toBe(200);
    expect(await gateway.must('GET', '/api/v1/tenant/usage/requests', undefined, token)).toMatchObject({ items: [] });
  });

  test('is done here for a model of another provider that has a tokenizer, and else by nobody', async () => {
    const model = { provider: 'fake-openai', displayName: 'F', contextTokens: 9_000, maxOutputTokens: 9 };
    const counted = { ...model, upstreamModel: 'fake-n1', tokenizer: 'o200k_base' };
    await gateway.must('PUT', '/api/v1/admin/models/fake-counted', counted);
    const before = fake.requests.length;
    const [few, many] = [await count('fake-counted'), await count('fake-counted', { system: 'word '.repeat(1_000) })];
    expect(json(few)['input_tokens']).toBeLessThan(100);
    expect(json(many)['input_tokens']).toBeGreaterThan(1_000);
    const answer = await count('fake-n1');
    expect([answer.status, answer.headers['x-should-retry']]).toEqual([501, 'false']);
    expect(errorOf(answer)).toMatchObject({ type: 'not_supported', gateway_code: 'count_not_offered' });
    expect(fake.requests.length).toBe(before);
  });

  test('is refused where the call would be', async () => {
    const before = fake.requests.length;
    expect(errorOf(await count('nothing'))['gateway_code']).toBe('model_not_found');
    const { token } = await gateway.must<{ token: string }>('POST', `/api/v1/admin/tenants/${department.id}/tokens`, {
      ...{ label: 'few', role: 'member', allowedModels: ['local/*'] },
    });
    expect(errorOf(await count('claude/fake', {}, bearer(token)))['gateway_code']).toBe('model_not_allowed');
    const file = [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'file_1' } }] }];
    expect(errorOf(await count('claude/fake', { messages: file }))['gateway_code']).toBe('feature_not_supported');
    expect(fake.requests.length).toBe(before);
    expect((await count('local/demo', {}, bearer(token))).status).toBe(200);
  });

  test('counts as a request of the minute', async () => {
    const { id, token } = await createDepartment(gateway);
    await gateway.must('PUT', `/api/v1/admin/tenants/${id}/limits`, { requestsPerMinute: 1 });
    await eventually(async () => (await count('claude/fake', {}, bearer(token))).status === 429);
  });
});
