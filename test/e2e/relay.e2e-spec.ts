import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { ACCOUNT, FakeProvider, PROVIDER_KEY } from '../support/fake-provider';
import { openRaw, postRaw } from '../support/fake-provider/raw-client';
import { Gateway } from '../support/gateway';

let fake: FakeProvider;
let gateway: Gateway;
let department: Department;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({
    providers: fakeProviders(fake, { firstByteMs: 2_000, idleMs: 2_000, connectMs: 2_000 }),
  });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '100.00' });
});
afterAll(async () => {
  await gateway.remove();
  await fake.close();
});

const CHAT = '/v1/chat/completions';
const RESPONSES = '/v1/responses';
const MESSAGES = '/v1/messages?beta=true';
const chat = (model: string, rest: object = {}) =>
  JSON.stringify({ model, messages: [{ role: 'user', content: 'Grüße 🎉' }], ...rest });
const message = (model: string, rest: object = {}) =>
  JSON.stringify({ model, max_tokens: 50, messages: [{ role: 'user', content: 'Grüße 🎉' }], ...rest });
const headers = (extra: Record<string, string> = {}) => ({
  authorization: `Bearer ${department.token}`,
  'content-type': 'application/json',
  ...extra,
});
const ask = (path: string, body: string, extra: Record<string, string> = {}) =>
  postRaw(gateway.url + path, headers(extra), body);
const rows = async () =>
  (
    await gateway.must<{ items: UsageRow[] }>(
      'GET',
      '/api/v1/tenant/usage/requests?limit=200',
      undefined,
      department.token,
    )
  ).items;
const lastRow = (model: string) => eventually(async () => (await rows()).find((row) => row.model === model), Boolean);

interface UsageRow {
  readonly model: string;
  readonly status: string;
  readonly outcome: string;
  readonly providerRequestId: string | null;
  readonly tokens: Readonly<Record<'input' | 'output' | 'cacheRead' | 'reasoning', number>>;
}

/** A budget, as the API shows it. */
interface Used {
  readonly held: string;
  readonly spent: string;
}

describe('what passes', () => {
  test('unknown fields, betas, versions and the query reach the provider as sent', async () => {
    const body = message('claude/fake-n1', {
      thinking: { type: 'adaptive' },
      x_unknown: { deep: [1, 2.5, 'é'] },
      metadata: { user_id: 'u' },
    });
    await ask(MESSAGES, body, { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'a-2026,b-2026' });
    const received = fake.requests.at(-1);
    expect(received?.body.toString()).toBe(body);
    expect(received?.url).toBe(MESSAGES);
    expect(received?.headers).toMatchObject({ 'anthropic-version': '2026-10-21', 'anthropic-beta': 'a-2026,b-2026' });
  });

  test.each([
    'fake-n20-emoji',
    'fake-n20-emoji-crlf',
    'fake-n20-emoji-tight',
    'fake-n20-comments',
    'fake-n20-emoji-b1',
    'fake-n20-p',
    'fake-n5-tools-extras',
    'fake-n5-s100000',
  ])('a stream (%s) arrives byte for byte, on every wire', async (model) => {
    const own = (path: string, body: string) =>
      postRaw(
        fake.url + path,
        {
          authorization: `Bearer ${PROVIDER_KEY}`,
          'content-type': 'application/json',
          'anthropic-version': '2023-06-01',
        },
        body,
      );
    const withUsage = chat(model, { stream: true, stream_options: { include_usage: true } });
    expect(neutral((await ask(CHAT, withUsage)).body)).toBe(neutral((await own(CHAT, withUsage)).body));
    const response = JSON.stringify({ model, store: false, stream: true, max_output_tokens: 50, input: 'Grüße 🎉' });
    expect(neutral((await ask(RESPONSES, response)).body)).toBe(neutral((await own(RESPONSES, response)).body));
    const claude = message(`claude/${model}`, { stream: true });
    expect(neutral((await ask(MESSAGES, claude, { 'anthropic-version': '2023-06-01' })).body)).toBe(
      neutral((await own(MESSAGES, claude)).body),
    );
  });

  test('events arrive when they are sent, not when the answer is complete', async () => {
    const model = 'fake-n4-h2';
    const socket = await openRaw(gateway.url + CHAT, headers(), chat(model, { stream: true }));
    const held = await fake.waitForRequest(model);
    let seen = '';
    socket.on('data', (chunk: Buffer) => (seen += chunk.toString('latin1')));
    await fake.waitFor(() => held.paused);
    await eventually(
      () => seen.split('data: ').length - 1,
      (events) => events >= 3,
    );
    expect(seen).not.toContain('[DONE]');
    held.resume();
    await eventually(() => seen.includes('[DONE]'));
    socket.destroy();
  });

  test("the provider's request id is answered and kept", async () => {
    const answer = await ask(CHAT, chat('fake-n1-s7'));
    const id = fake.requests.at(-1)?.requestId as string;
    expect(answer.headers['x-request-id']).toBe(id);
    expect((await lastRow('fake-n1-s7'))?.providerRequestId).toBe(id);
  });
});

describe('what does not pass', () => {
  test("the tenant's token never reaches the provider, nor the provider's key or account the tenant", async () => {
    const answers = [];
    for (const model of [
      'fake-n1',
      'fake-e400',
      'fake-e401',
      'fake-e403',
      'fake-e429',
      'fake-e500',
      'fake-e529',
      'fake-html',
    ]) {
      answers.push(
        await ask(CHAT, chat(model)),
        await ask(MESSAGES, message(`claude/${model}`), {
          'anthropic-version': '2023-06-01',
          'x-api-key': department.token,
        }),
      );
    }
    const told = JSON.stringify(answers.map(({ headers: h, body }) => [h, body.toString()]));
    expect(told).not.toContain(PROVIDER_KEY);
    expect(told).not.toContain(ACCOUNT);
    expect(told).not.toMatch(/ratelimit|organization|set-cookie/i);
    for (const request of fake.requests) expect(request.mentions(department.token)).toBe(false);
    expect(gateway.logs).not.toContain(department.token);
    expect(gateway.logs).not.toContain(PROVIDER_KEY);
  });

  test('settings that belong to the company are taken out, and nothing else of the body changes', async () => {
    await ask(
      CHAT,
      '{"service_tier":"priority","model":"fake-n1", "store":true,"messages":[{"role":"user","content":"service_tier"}],"tags":["x"]}'.replace(
        '"store":true,',
        '',
      ),
    );
    expect(fake.requests.at(-1)?.body.toString()).toBe(
      '{"model":"fake-n1", "messages":[{"role":"user","content":"service_tier"}]}',
    );
  });

  test.each([
    ['state in the shared account', { previous_response_id: 'resp_1' }],
    ['tools the provider bills by the piece', { web_search_options: {} }],
  ])('%s is refused, with the reason', async (_, field) => {
    const answer = await ask(CHAT, chat('fake', field));
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { gateway_code: 'feature_not_supported' } });
  });
});

describe('what fails', () => {
  test("a refusal of the gateway's own key is a 502, never the tenant's 401", async () => {
    expect((await ask(CHAT, chat('fake-e401'))).status).toBe(502);
    expect((await ask(MESSAGES, message('claude/fake-e403'), { 'anthropic-version': '2023-06-01' })).status).toBe(502);
  });

  test('the words of a 400 pass unchanged, because clients act on them', async () => {
    const answer = await ask(MESSAGES, message('claude/fake-e400'), { 'anthropic-version': '2023-06-01' });
    expect(answer.body.toString()).toContain('prompt is too long');
  });

  test('Retry-After of the provider is kept', async () => {
    expect((await ask(CHAT, chat('fake-e429'))).headers['retry-after']).toBeDefined();
  });

  test.each([
    ['does not begin', 'fake-silent', 504],
    ['breaks off before its head', 'fake-nohead', 502],
  ])('a provider that %s is answered in the dialect and booked as unconfirmed', async (_, model, status) => {
    const answer = await ask(CHAT, chat(model));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { type: 'server_error' } });
    expect(await lastRow(model)).toMatchObject({ status: 'unconfirmed', outcome: 'failed' });
  });

  test('a provider that cannot be reached costs nothing', async () => {
    const gone = await FakeProvider.start();
    const other = await Gateway.start({ providers: fakeProviders(gone) });
    try {
      await offerFakeModels(other);
      const { token } = await createDepartment(other, { budget: '1.00' });
      await gone.close();
      const answer = await postRaw(
        other.url + CHAT,
        { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        chat('fake'),
      );
      expect(answer.status).toBe(502);
      expect(
        (await other.must<{ items: unknown[] }>('GET', '/api/v1/tenant/usage/requests', undefined, token)).items,
      ).toEqual([]);
      // The headroom that was leased for it goes back when nobody needs it any more.
      await eventually(
        async () => (await other.must<{ items: Used[] }>('GET', '/api/v1/tenant/budgets', undefined, token)).items,
        (budgets) => budgets.every(({ held, spent }) => Number(held) === 0 && Number(spent) === 0),
      );
    } finally {
      await other.remove();
    }
  });

  test.each([
    ['falls silent', 'fake-n9-h3-s11'],
    ['breaks off', 'fake-n9-x3-s12'],
    ['ends too early', 'fake-n9-t3-s13'],
  ])('a stream that %s is torn, not ended, and what was seen of it is billed', async (_, model) => {
    for (const [path, name, body] of [
      [CHAT, model, chat(model, { stream: true })],
      [MESSAGES, `claude/${model}`, message(`claude/${model}`, { stream: true })],
    ] as const) {
      const answer = await ask(path, body, { 'anthropic-version': '2023-06-01' });
      expect(answer.status).toBe(200);
      expect(answer.complete).toBe(false);
      expect(answer.body.toString()).toMatch(/"error":\s*\{/);
      const row = await lastRow(name);
      expect(row).toMatchObject({ status: 'estimated', outcome: 'failed' });
      expect(row?.tokens.output).toBeGreaterThanOrEqual(3);
    }
  });

  test("a client that leaves ends the provider's work, and pays for what was seen", async () => {
    const model = 'fake-n500-g10';
    const socket = await openRaw(gateway.url + CHAT, headers(), chat(model, { stream: true, max_tokens: 500 }));
    const call = await fake.waitForRequest(model);
    await fake.waitFor(() => call.pieces > 5);
    socket.destroy();
    await fake.waitFor(() => call.outcome === 'aborted');
    expect(call.pieces).toBeLessThan(500);
    expect(await lastRow(model)).toMatchObject({ status: 'estimated', outcome: 'aborted' });
  });

  test.each([['liehuge'], ['lienegative'], ['lietext']])(
    'usage that cannot be true (%s) is quarantined at the worst case, not believed',
    async (lie) => {
      const model = `fake-n3-${lie}`;
      expect((await ask(CHAT, chat(model))).status).toBe(200);
      expect(await lastRow(model)).toMatchObject({ status: 'quarantined' });
    },
  );

  test('a provider without usage is estimated', async () => {
    expect((await ask(CHAT, chat('fake-n6-u', { stream: true }))).status).toBe(200);
    const row = await lastRow('fake-n6-u');
    expect(row).toMatchObject({ status: 'estimated', outcome: 'completed' });
    expect(row?.tokens.output).toBeGreaterThanOrEqual(6);
  });

  test('cached and reasoning tokens are booked in their own classes', async () => {
    await ask(CHAT, chat('fake-n20-i100-c40-r5'));
    expect(await lastRow('fake-n20-i100-c40-r5')).toMatchObject({
      status: 'actual',
      tokens: { input: 100, cacheRead: 40, output: 20, reasoning: 5 },
    });
    await ask(MESSAGES, message('claude/fake-n20-i100-c40-w30-v20', { stream: true }), {
      'anthropic-version': '2023-06-01',
    });
    expect(await lastRow('claude/fake-n20-i100-c40-w30-v20')).toMatchObject({
      tokens: { input: 100, cacheRead: 40, cacheWrite5m: 30, cacheWrite1h: 20 },
    });
  });
});

/** Answers of two calls differ in their ids and times only. */
const neutral = (body: Buffer): string =>
  body
    .toString('utf8')
    .replace(/"(id|item_id|call_id|system_fingerprint)":"[^"]*"/g, '"$1":"…"')
    .replace(/"created":\d+/g, '"created":0');
