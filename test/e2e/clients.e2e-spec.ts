import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { createDepartment, eventually, type Department } from '../support/department';
import { ACCOUNT, type FakeProvider } from '../support/fake-provider';
import { openRaw, postRaw, type RawAnswer } from '../support/fake-provider/raw-client';
import { anthropicClient, collect, failureOf, openaiClient } from '../support/fake-provider/sdk-clients';
import type { Gateway } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';
import { readWire } from '../support/wire';

/** What real clients were seen to need of a gateway, point by point. What is not here is in relay, sdk, money and bad-input. */
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

const CHAT = '/v1/chat/completions';
const RESPONSES = '/v1/responses';
const MESSAGES = '/v1/messages';
const ROUTES = [
  [CHAT, 'fake-n1'],
  [RESPONSES, 'fake-n1'],
  [MESSAGES, 'claude/fake-n1'],
] as const;
const VERSION = { 'anthropic-version': '2026-10-21' };
const bodyFor = (model: string, rest: object = {}, path = CHAT): string =>
  JSON.stringify({
    model,
    ...(path === RESPONSES
      ? { store: false, max_output_tokens: 50, input: 'Hello!' }
      : { max_tokens: 50, messages: [{ role: 'user', content: 'Hello!' }] }),
    ...rest,
  });
const bearer = (token = department.token) => ({ authorization: `Bearer ${token}` });
const ask = (path: string, body: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  postRaw(gateway.url + path, { 'content-type': 'application/json', ...bearer(), ...VERSION, ...headers }, body);
const json = ({ body }: RawAnswer): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;
/** An error as the SDK of the path reads it. */
const errorOf = (answer: RawAnswer) => json(answer)['error'] as Record<string, unknown>;

describe('1. versions', () => {
  test('the version header is forwarded as sent, and its absence is for the provider to refuse', async () => {
    for (const version of ['2023-06-01', '2026-10-21', '2031-01-01']) {
      await ask(MESSAGES, bodyFor('claude/fake-n1'), { 'anthropic-version': version });
      expect(fake.requests.at(-1)?.headers['anthropic-version']).toBe(version);
    }
    const headers = { 'content-type': 'application/json', ...bearer() };
    const answer = await postRaw(gateway.url + MESSAGES, headers, bodyFor('claude/fake-n1'));
    expect(answer.status).toBe(400);
    expect(fake.requests.at(-1)?.headers['anthropic-version']).toBeUndefined();
    expect(errorOf(answer)['type']).toBe('invalid_request_error');
  });
});

describe('2. both ways to send a key', () => {
  test.each(ROUTES)('on %s', async (path, model) => {
    for (const key of [bearer(), { 'x-api-key': department.token }]) {
      const headers = { 'content-type': 'application/json', ...VERSION, ...key };
      expect((await postRaw(gateway.url + path, headers, bodyFor(model, {}, path))).status).toBe(200);
      expect(fake.requests.at(-1)?.mentions(department.token)).toBe(false);
    }
  });

  test('on the list of models', async () => {
    for (const key of [bearer(), { 'x-api-key': department.token }])
      expect((await fetch(`${gateway.url}/v1/models`, { headers: key })).status).toBe(200);
  });
});

describe('3. a refused key is not tried again for minutes', () => {
  test.each(ROUTES)('on %s', async (path, model) => {
    const { token } = await createDepartment(gateway);
    await gateway.must('POST', '/api/v1/admin/tokens/revoke', { token });
    for (const key of [bearer(token), { authorization: 'Bearer nonsense' }]) {
      const answer = await ask(path, bodyFor(model, {}, path), key);
      expect([answer.status, answer.headers['x-should-retry']]).toEqual([401, 'false']);
      const type = path === MESSAGES ? 'authentication_error' : 'invalid_request_error';
      expect(errorOf(answer)['type']).toBe(type);
    }
  });

  test('the SDKs give up at once, with all the retries they have', async () => {
    const options = { apiKey: `tk_${department.id}_${'0'.repeat(32)}`, maxRetries: 5 };
    const openai = new OpenAI({ ...options, baseURL: `${gateway.url}/v1` });
    const anthropic = new Anthropic({ ...options, baseURL: gateway.url });
    const messages = [{ role: 'user' as const, content: 'x' }];
    expect(await failureOf(openai.chat.completions.create({ model: 'fake', messages }))).toMatchObject({ status: 401 });
    expect(await failureOf(anthropic.messages.create({ model: 'm', max_tokens: 1, messages }))).toMatchObject({
      status: 401,
    });
  });
});

describe('4. a spent budget', () => {
  test.each([
    [CHAT, 'fake-n1', { type: 'insufficient_quota', code: 'insufficient_quota' }],
    [RESPONSES, 'fake-n1', { type: 'insufficient_quota', code: 'insufficient_quota' }],
    [MESSAGES, 'claude/fake-n1', { type: 'billing_error' }],
  ])('on %s says when it resets, and not to try again', async (path, model, words) => {
    const { token } = await createDepartment(gateway, { budget: '0.000001' });
    const answer = await ask(path, bodyFor(model, {}, path), bearer(token));
    expect([answer.status, answer.headers['x-should-retry']]).toEqual([429, 'false']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(errorOf(answer)).toMatchObject(words);
    expect(errorOf(answer)['message']).toMatch(/resets at \d{4}-\d\d-\d\dT.*administrator/);
  });
});

describe('5. large bodies', () => {
  test.each(ROUTES)('of megabytes pass on %s', async (path, model) => {
    const body = bodyFor(model, { x_padding: 'x'.repeat(20_000_000) }, path);
    expect((await ask(path, body)).status).toBe(200);
    expect(fake.requests.at(-1)?.body.length).toBe(body.length);
  });

  test.each([
    [CHAT, 'invalid_request_error'],
    [RESPONSES, 'invalid_request_error'],
    [MESSAGES, 'request_too_large'],
  ])('above the limit are a 413 in the words of %s', async (path, type) => {
    const socket = await openRaw(
      gateway.url + path,
      { 'content-type': 'application/json', 'content-length': '34000000', ...bearer() },
      '{',
    );
    const answer = await readWire(socket);
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { type } });
  });

  test('are not read before the key is known', async () => {
    const socket = await openRaw(
      gateway.url + CHAT,
      { 'content-type': 'application/json', 'content-length': '30000000', authorization: 'Bearer nonsense' },
      '{',
    );
    expect((await readWire(socket)).status).toBe(401);
  });
});

describe('6. what passes, and what is the company’s', () => {
  test('a system role among the messages, unknown fields and headers of the API', async () => {
    const body = bodyFor('claude/fake-n1', {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'system', content: 'b' },
      ],
      safeguards: { level: 'x' },
      output_config: { format: { type: 'json_schema', schema: {} } },
      x_from_2031: [null, 1.5, 'é'],
    });
    await ask(MESSAGES, body, {
      'x-stainless-lang': 'js',
      'anthropic-from-2031': 'v',
      'x-claude-code-session-id': 's',
    });
    const received = fake.requests.at(-1);
    expect(received?.body.toString()).toBe(body);
    expect(received?.headers).toMatchObject({
      ...{ 'x-stainless-lang': 'js', 'anthropic-from-2031': 'v', 'x-claude-code-session-id': 's' },
    });
  });

  test('tier, residency and accounts are taken out; cookies and organizations too', async () => {
    const owned = { inference_geo: 'us', speed: 'fast', service_tier: 'priority', workspace_id: 'w', tags: ['t'] };
    const foreign = { cookie: 'a=b', 'openai-organization': 'o', 'openai-project': 'p', 'x-forwarded-for': '10.0.0.1' };
    for (const [path, model] of ROUTES) {
      await ask(path, bodyFor(model, { ...owned, user_profile_id: 'u' }, path), foreign);
      expect(fake.requests.at(-1)?.body.toString()).toBe(bodyFor(model, {}, path));
      for (const name of Object.keys(foreign)) expect(fake.requests.at(-1)?.headers[name]).toBeUndefined();
    }
  });
});

describe('7. streams', () => {
  test.each(ROUTES)('are not compressed on %s, whoever asks for it', async (path, model) => {
    const answer = await ask(path, bodyFor(model, { stream: true }, path), { 'accept-encoding': 'gzip, br' });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers['content-type']).toContain('text/event-stream');
    expect(answer.body.toString()).toContain('data: ');
  });

  test('an error the provider sends in the middle reaches the SDKs as an error, without the words', async () => {
    const messages = [{ role: 'user' as const, content: 'x' }];
    const anthropic = anthropicClient(gateway.url, department.token);
    const seen: unknown[] = [];
    expect(
      await failureOf(
        collect(
          anthropic.messages.create({ model: 'claude/fake-n9-y3', max_tokens: 50, messages, stream: true }),
          seen,
        ),
      ),
    ).toMatchObject({ error: { error: { type: 'overloaded_error' } } });
    expect(seen.length).toBeGreaterThan(3);
    const openai = openaiClient(gateway.url, department.token);
    expect(
      await failureOf(collect(openai.chat.completions.create({ model: 'fake-n9-y3', messages, stream: true }))),
    ).toMatchObject({ type: 'server_error', error: { message: expect.stringContaining('in the middle') } });
  });

  test('bytes that are no HTTP, sent behind the request, get no word into the answer', async () => {
    const model = 'fake-n4-h2-i77';
    const socket = await openRaw(
      gateway.url + CHAT,
      { 'content-type': 'application/json', ...bearer() },
      bodyFor(model, { stream: true }),
    );
    let seen = '';
    socket.on('data', (bytes: Buffer) => (seen += bytes.toString()));
    const call = await fake.waitForRequest(model);
    await eventually(() => call.paused && seen.includes('data: '));
    socket.write('\u0000nonsense\r\n\r\n');
    await new Promise((closed) => socket.once('close', closed));
    expect(seen.match(/HTTP\/1\.1/g)).toHaveLength(1);
    await fake.waitFor(() => call.outcome === 'aborted');
  });
});

describe('8. one end goes', () => {
  test('an SDK that aborts ends the call of the provider', async () => {
    const messages = [{ role: 'user' as const, content: 'x' }];
    for (const [model, open] of [
      [
        'fake-n500-g10-i7',
        () =>
          openaiClient(gateway.url, department.token).responses.create({
            ...{ model: 'fake-n500-g10-i7', input: 'x', stream: true, max_output_tokens: 500 },
          }),
      ],
      [
        'fake-n500-g10-i8',
        () =>
          openaiClient(gateway.url, department.token).chat.completions.create({
            ...{ model: 'fake-n500-g10-i8', messages, stream: true, max_tokens: 500 },
          }),
      ],
      [
        'claude/fake-n500-g10-i8',
        () =>
          anthropicClient(gateway.url, department.token).messages.create({
            ...{ model: 'claude/fake-n500-g10-i8', messages, stream: true, max_tokens: 500 },
          }),
      ],
    ] as const) {
      const stream = await open();
      const call = await fake.waitForRequest(model);
      for await (const _ of stream) break;
      await fake.waitFor(() => call.outcome === 'aborted');
      expect(call.pieces).toBeLessThan(500);
    }
  });

  test('a provider that breaks off looks complete to no SDK', async () => {
    const messages = [{ role: 'user' as const, content: 'x' }];
    for (const broken of ['fake-n9-x3-i9', 'fake-n9-t3-i9']) {
      const openai = openaiClient(gateway.url, department.token);
      const anthropic = anthropicClient(gateway.url, department.token);
      await failureOf(collect(openai.chat.completions.create({ model: broken, messages, stream: true })));
      await failureOf(collect(openai.responses.create({ model: broken, input: 'x', stream: true })));
      await failureOf(
        collect(anthropic.messages.create({ model: `claude/${broken}`, max_tokens: 50, messages, stream: true })),
      );
    }
  });
});

describe('9. what lies in the account that all departments share', () => {
  test.each([
    [CHAT, 'fake-n1', { previous_response_id: 'resp_1' }],
    [CHAT, 'fake-n1', { conversation: 'conv_1' }],
    [RESPONSES, 'fake-n1', { previous_response_id: 'resp_1' }],
    [RESPONSES, 'fake-n1', { conversation: 'conv_1' }],
    [RESPONSES, 'fake-n1', { prompt: { id: 'pmpt_1' } }],
    [RESPONSES, 'fake-n1', { background: true }],
    [RESPONSES, 'fake-n1', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    [MESSAGES, 'claude/fake-n1', { container: 'c_1' }],
    [MESSAGES, 'claude/fake-n1', { thread: 't_1' }],
    [MESSAGES, 'claude/fake-n1', { previous_message_id: 'm_1' }],
  ])('is refused on %s: %s %j', async (path, model, field) => {
    const before = fake.requests.length;
    const answer = await ask(path, bodyFor(model, field, path));
    expect([answer.status, errorOf(answer)['gateway_code']]).toEqual([400, 'feature_not_supported']);
    expect(fake.requests.length).toBe(before);
  });

  test.each([
    [404, '/v1/responses/resp_1'],
    [404, '/v1/responses/resp_1/input_items'],
    [404, '/v1/chat/completions/chatcmpl_1'],
    [501, '/v1/files'],
    [501, '/v1/batches/batch_1/cancel'],
    [501, '/v1/conversations/conv_1/items'],
    [501, '/v1/containers'],
    [501, '/v1/threads/thread_1/runs'],
    [501, '/v1/vector_stores'],
    [501, '/v1/messages/batches'],
    [501, '/v1/responses/compact'],
  ])('is refused with a %i, for good: %s', async (status, path) => {
    const before = fake.requests.length;
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await fetch(gateway.url + path, { method, headers: bearer() });
      expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([status, 'false']);
      const type = path.startsWith(MESSAGES) ? 'not_supported' : 'invalid_request_error';
      expect(await answer.json()).toMatchObject({ error: { type, message: expect.any(String) } });
    }
    expect(fake.requests.length).toBe(before);
  });

  test('a stored response is missing to the SDK', async () => {
    const { responses } = openaiClient(gateway.url, department.token);
    expect(await failureOf(responses.retrieve('resp_1'))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await failureOf(responses.delete('resp_1'))).toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe('10. errors', () => {
  test.each([
    ['the page of a middlebox', 'fake-html', 502],
    ['a refusal of the gateway’s own key', 'fake-e401', 502],
    ['a provider out of order', 'fake-e500', 500],
    ['an overloaded provider', 'fake-e529', 529],
  ])('%s is JSON of the path, and names nobody', async (_, model, status) => {
    for (const [path, name] of [
      [CHAT, model],
      [RESPONSES, model],
      [MESSAGES, `claude/${model}`],
    ] as const) {
      const answer = await ask(path, bodyFor(name, {}, path));
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toContain('application/json');
      expect(typeof errorOf(answer)['message']).toBe('string');
      expect(JSON.stringify([answer.headers, answer.body.toString()])).not.toContain(ACCOUNT);
    }
  });

  test('half an answer is none', async () => {
    const model = 'half-an-answer';
    fake.script(`fake-${model}`, { breakAt: { at: 1, how: 'truncate' } });
    const answer = await ask(CHAT, bodyFor(`fake-${model}`));
    expect([answer.status, errorOf(answer)['gateway_code']]).toEqual([502, 'provider_error']);
  });

  test.each([
    ['GET', CHAT],
    ['HEAD', CHAT],
    ['OPTIONS', CHAT],
    ['PUT', MESSAGES],
    ['HEAD', MESSAGES],
    ['OPTIONS', MESSAGES],
  ])('%s %s is answered at once and reaches no provider', async (method, path) => {
    const before = fake.requests.length;
    const answer = await fetch(gateway.url + path, { method, headers: bearer() });
    expect(answer.status).toBeLessThan(500);
    expect(fake.requests.length).toBe(before);
  });

  test.each(['/', '/api/hello'])('HEAD %s without a key, as Claude Code asks before its first call', async (path) => {
    expect((await fetch(gateway.url + path, { method: 'HEAD' })).status).toBe(200);
  });

  test('a slash at the end is no other route, and is not passed on', async () => {
    expect((await ask('/v1/chat/completions/?a=1', bodyFor('fake-n1'))).status).toBe(200);
    expect(fake.requests.at(-1)?.url).toBe('/v1/chat/completions?a=1');
  });

  test('a path in other letters is no route', async () => {
    const before = fake.requests.length;
    expect((await ask('/V1/Chat/Completions', bodyFor('fake-n1'))).status).toBe(404);
    expect(fake.requests.length).toBe(before);
  });
});
