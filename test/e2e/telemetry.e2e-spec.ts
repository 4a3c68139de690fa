import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { fetch } from 'undici';
import { makeCertificates, type Certificates } from '../support/certificates';
import { ConnectProxy } from '../support/connect-proxy';
import { eventually } from '../support/department';
import { readExposition } from '../support/exposition';
import { Gateway } from '../support/gateway';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver';
import {
  breakingOff,
  failing,
  hangingUp,
  ScriptedProvider,
  silent,
  streaming,
  whole,
  type Play,
} from '../support/scripted-provider';

/** Traces and metrics of the built gateway, as a collector receives them. The tests follow each other. */

const PROMPT = 'the quarterly figures are a secret';
const ANSWER = 'nobody but the caller reads this';

/**
 * All else is in `dist/bundle`. A package that appears here beside it is loaded file by file at every start, and may be there a second
 * time, as when it is asked for by a name the bundler does not see: scripts/bundle.mjs is where it can be taken in, and an `import()` in
 * the function that uses it keeps it away until then.
 */
const OF_A_PLAIN_START = ['@opentelemetry/api', 'swagger-ui-dist'];

let one: ScriptedProvider;
let two: ScriptedProvider;
let collector: OtlpReceiver;
let gateway: Gateway;
let token = '';

const settings = (more: object = {}): Record<string, unknown> => ({
  telemetry: {
    enabled: true,
    endpoint: collector.url,
    headers: { 'x-collector-key': 'collector-key-0001' },
    resource: { 'deployment.environment.name': 'test' },
    timeoutMs: 1_000,
    traces: { delayMs: 20 },
    metrics: { intervalMs: 1_000 },
    ...more,
  },
});

beforeAll(async () => {
  [one, two, collector] = [await ScriptedProvider.start(), await ScriptedProvider.start(), await OtlpReceiver.start()];
  const common = { dialect: 'openai', internal: true, apiKey: 'k-of-the-provider' };
  gateway = await Gateway.start({
    providers: {
      one: { ...common, baseUrl: one.url },
      two: { ...common, baseUrl: two.url },
      messages: { ...common, dialect: 'anthropic', baseUrl: one.url },
    },
    config: { routes: { smart: { targets: ['cheap', 'dear'] } } },
    node: ['--require', join(__dirname, '../support/loaded-packages.cjs')],
  });
  for (const [model, provider] of Object.entries({ cheap: 'one', dear: 'two', claude: 'messages' }))
    await gateway.must('PUT', `/api/v1/admin/models/${model}`, {
      ...{ provider, upstreamModel: `${model}-there`, displayName: model, contextTokens: 8_000, maxOutputTokens: 100 },
    });
  const prices = ['cheap', 'dear', 'claude'].map((model) => ({ model, input: '3', output: '15' }));
  await gateway.must('POST', '/api/v1/admin/rate-cards', { currency: 'USD', note: 'test', prices });
  for (const id of ['finance', 'poor']) await gateway.must('POST', '/api/v1/admin/tenants', { id, name: id });
  token = await tokenOf('finance');
});
afterAll(async () => {
  await gateway.remove();
  await Promise.all([one.close(), two.close(), collector.close()]);
});
beforeEach(() => {
  const choices = [{ index: 0, message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' }];
  one.play(whole({}, { id: 'chatcmpl-7', model: 'cheap-2026', choices }));
  two.play(whole());
});

const tokenOf = async (tenant: string): Promise<string> =>
  (await gateway.must<{ token: string }>('POST', `/api/v1/admin/tenants/${tenant}/tokens`, { label: 't' })).token;

interface Ask {
  readonly model?: string;
  readonly stream?: boolean;
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly content?: string;
}

const ask = ({ model = 'cheap', stream = false, key = token, headers = {}, content = PROMPT }: Ask = {}) =>
  gateway.call(
    'POST',
    '/v1/chat/completions',
    { model, stream, max_tokens: 10, messages: [{ role: 'user', content }] },
    key,
    headers,
  );

/** A stream of Anthropic's. */
function events(...data: readonly Readonly<{ type: string } & Record<string, unknown>>[]): Play {
  const text = data.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('');
  return (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
}

/** A caller's trace of its own for each call. */
function newTrace(flags = '01'): { traceId: string; spanId: string; headers: Record<string, string> } {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: 'vendor=1' } };
}

const spansOf = (traceId: string, most = 3): Promise<ReceivedSpan[]> =>
  eventually(
    () => Promise.resolve(collector.spans.filter((span) => span.traceId === traceId)),
    ({ length }) => length >= most,
  );

/** A call within a trace of its own, and the spans that come of it: the request's, the operation's, and the attempts'. */
async function traced(what: Ask = {}, most = 3): Promise<{ spans: ReceivedSpan[]; status: number }> {
  const { traceId, headers } = newTrace();
  const { status } = await ask({ ...what, headers });
  return { spans: await spansOf(traceId, most), status };
}

async function reload(change: Record<string, unknown>): Promise<void> {
  const reloads = async () =>
    (await gateway.must<{ items: unknown[] }>('GET', '/api/v1/admin/audit?actor=SIGHUP')).items;
  const before = (await reloads()).length;
  await gateway.configure(change);
  process.kill(gateway.process.pid as number, 'SIGHUP');
  await eventually(reloads, ({ length }) => length > before);
}

async function loadedPackages(): Promise<string[]> {
  const reports = (): string[] =>
    [...gateway.logs.matchAll(/loaded packages: (.*)/g)].map(([, names]) => names as string);
  const before = reports().length;
  process.kill(gateway.process.pid as number, 'SIGUSR2');
  await eventually(() => reports().length > before);
  return reports().at(-1)?.split(' ') ?? [];
}

test('off, nothing is loaded, nothing is sent, and no provider learns of a trace', async () => {
  expect((await ask({ headers: newTrace().headers })).status).toBe(200);
  expect(await loadedPackages()).toEqual(OF_A_PLAIN_START);
  expect(one.asked.at(-1)?.headers).not.toHaveProperty('traceparent');
  expect(collector.received).toEqual([]);
});

test('turned on by a reload, a call is a part of its caller’s trace', async () => {
  await reload(settings());
  expect(await loadedPackages()).toContain('@opentelemetry/sdk-metrics');
  const { traceId, spanId, headers } = newTrace();
  const answer = await ask({ headers });
  const [request, operation, attempt] = await spansOf(traceId);
  expect(request).toMatchObject({
    name: 'POST /v1/chat/completions',
    kind: 2,
    parentSpanId: spanId,
    traceState: 'vendor=1',
    status: 0,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/v1/chat/completions',
      'http.response.status_code': 200,
      'openclawmu.tenant.id': 'finance',
      'openclawmu.request.id': answer.headers.get('x-openclawmu-request-id'),
    },
    resource: { 'service.name': 'openclawmu', 'deployment.environment.name': 'test' },
  });
  expect(operation).toMatchObject({
    name: 'chat cheap',
    kind: 3,
    parentSpanId: request?.spanId,
    status: 0,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'cheap',
      'gen_ai.request.max_tokens': 10,
      'gen_ai.response.id': 'chatcmpl-7',
      'gen_ai.response.model': 'cheap-2026',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(one.url).port),
      'openclawmu.outcome': 'completed',
      'openclawmu.ledger.status': 'actual',
      'openclawmu.cost': '0.000105',
      'openclawmu.cost_nanos': 105_000,
    },
  });
  expect(attempt).toMatchObject({
    name: 'POST one',
    kind: 3,
    parentSpanId: operation?.spanId,
    attributes: { 'http.response.status_code': 200, 'url.full': `${one.url}/v1/chat/completions` },
  });
  for (const span of [request, operation, attempt] as ReceivedSpan[]) {
    expect(span.endNanos).toBeGreaterThanOrEqual(span.startNanos);
    expect(Math.abs(Number(span.startNanos / 1_000_000n) - Date.now())).toBeLessThan(60_000);
  }
  expect(one.asked.at(-1)?.headers).toMatchObject({
    traceparent: `00-${traceId}-${attempt?.spanId}-01`,
    tracestate: 'vendor=1',
  });
  expect(collector.received.at(0)?.headers).toMatchObject({
    'x-collector-key': 'collector-key-0001',
    'content-type': 'application/x-protobuf',
  });
});

test('a caller that does not record its trace is not recorded here', async () => {
  const { traceId, headers } = newTrace('00');
  await ask({ headers });
  await traced();
  expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  expect(one.asked.some((asked) => asked.headers['traceparent']?.includes(`${traceId}-`))).toBe(true);
});

test('a call without a trace begins one', async () => {
  const answer = await ask();
  const id = answer.headers.get('x-openclawmu-request-id');
  const [request] = await eventually(
    () => Promise.resolve(collector.spans.filter(({ attributes }) => attributes['openclawmu.request.id'] === id)),
    ({ length }) => length > 0,
  );
  expect(request).toMatchObject({ parentSpanId: '', traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
});

test('a stream tells when its first piece came', async () => {
  one.play(streaming(ANSWER, '.'));
  const { spans } = await traced({ stream: true });
  expect(spans[1]?.attributes).toMatchObject({
    'gen_ai.request.stream': true,
    'gen_ai.response.time_to_first_chunk': expect.any(Number),
    'openclawmu.outcome': 'completed',
  });
});

const MESSAGE = { id: 'msg_7', type: 'message', role: 'assistant', model: 'claude-2026' };

test.each<[boolean, Play]>([
  [
    false,
    whole(
      {},
      {
        ...{ ...MESSAGE, content: [{ type: 'text', text: ANSWER }], stop_reason: 'end_turn' },
        usage: { input_tokens: 10, output_tokens: 5 },
      },
    ),
  ],
  [
    true,
    events(
      { type: 'message_start', message: { ...MESSAGE, content: [], usage: { input_tokens: 10, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ANSWER } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ),
  ],
])('an answer that is translated is told as its provider calls it, streaming: %s', async (stream, play) => {
  one.play(play);
  const { spans, status } = await traced({ model: 'claude', stream });
  expect(status).toBe(200);
  expect(spans[1]?.attributes).toMatchObject({
    'gen_ai.provider.name': 'anthropic',
    'gen_ai.response.id': 'msg_7',
    'gen_ai.response.model': 'claude-2026',
    'gen_ai.response.finish_reasons': ['end_turn'],
    'gen_ai.usage.output_tokens': 5,
  });
});

test.each<[string, string, Play, number, string, object]>([
  ['counted', 'claude', whole({}, { input_tokens: 9 }), 200, 'completed', {}],
  ['refused by the provider', 'claude', failing(400), 400, 'failed', { 'error.type': '400' }],
  ['left unanswered', 'claude', hangingUp, 502, 'failed', { 'error.type': 'provider_unreachable' }],
  ['counted by nobody', 'cheap', silent, 501, 'unsent', { 'error.type': 'count_not_offered' }],
])('tokens that are %s are told like a call', async (_, model, play, status, outcome, error) => {
  one.play(play);
  const { traceId, spanId, headers } = newTrace();
  const body = { model, messages: [{ role: 'user', content: PROMPT }] };
  const path = '/v1/messages/count_tokens';
  expect((await gateway.call('POST', path, body, token, headers)).status).toBe(status);
  const [request, operation, attempt] = await spansOf(traceId, outcome === 'unsent' ? 2 : 3);
  expect(request).toMatchObject({
    ...{ name: `POST ${path}`, kind: 2, parentSpanId: spanId },
    attributes: { 'http.route': path, 'http.response.status_code': status, 'openclawmu.tenant.id': 'finance' },
  });
  expect(operation).toMatchObject({
    ...{ name: `count_tokens ${model}`, kind: 3, status: status < 300 ? 0 : 2 },
    attributes: {
      ...{ 'gen_ai.operation.name': 'count_tokens', 'gen_ai.request.model': model, 'openclawmu.outcome': outcome },
      ...error,
    },
  });
  expect(operation?.attributes).not.toHaveProperty('openclawmu.cost');
  if (outcome === 'unsent') return;
  expect(attempt).toMatchObject({ name: 'POST messages', attributes: { 'url.full': one.url + path } });
  expect(one.asked.at(-1)?.headers).toMatchObject({ traceparent: `00-${traceId}-${attempt?.spanId}-01` });
});

test('each attempt of a route is told, with who was asked and what became of it', async () => {
  one.play(failing(503));
  const { spans, status } = await traced({ model: 'smart' }, 4);
  expect(status).toBe(200);
  const [, operation, first, second] = spans;
  expect(operation).toMatchObject({ name: 'chat smart', status: 0 });
  expect(operation?.attributes).toMatchObject({ 'openclawmu.model': 'dear', 'openclawmu.attempts': 2 });
  expect(first).toMatchObject({
    name: 'POST one',
    status: 2,
    attributes: { 'http.response.status_code': 503, 'error.type': '503' },
  });
  expect(second).toMatchObject({
    name: 'POST two',
    status: 0,
    attributes: { 'http.response.status_code': 200, 'http.request.resend_count': 1 },
  });
});

test.each<[string, Play, Ask, number | null, object, object]>([
  ['a provider refuses', failing(400), {}, 0, { 'error.type': '400' }, { 'openclawmu.outcome': 'failed' }],
  [
    'a provider hangs up',
    hangingUp,
    {},
    2,
    { 'error.type': 'provider_unreachable' },
    { 'openclawmu.ledger.status': 'unconfirmed' },
  ],
  [
    'a stream breaks off',
    breakingOff('half'),
    { stream: true },
    2,
    { 'error.type': 'provider_unreachable' },
    { 'openclawmu.outcome': 'failed' },
  ],
])('when %s, the spans say so', async (_, play, what, requestStatus, error, more) => {
  one.play(play);
  const { traceId, headers } = newTrace();
  await ask({ ...what, headers }).catch(() => undefined);
  const [request, operation, attempt] = await spansOf(traceId);
  expect(request?.status).toBe(requestStatus);
  expect(operation).toMatchObject({ status: 2, attributes: { ...error, ...more } });
  expect(attempt?.status).toBe(2);
});

test('a client that leaves is told as one', async () => {
  one.play(silent);
  const { traceId, headers } = newTrace();
  const leaving = new AbortController();
  const asked = one.asked.length;
  const answer = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'cheap', max_tokens: 10, messages: [] }),
    signal: leaving.signal,
  });
  await eventually(() => one.asked.length > asked);
  leaving.abort();
  await expect(answer).rejects.toThrow();
  const [request, operation] = await spansOf(traceId);
  expect(operation?.attributes).toMatchObject({
    'error.type': 'client_disconnected',
    'openclawmu.outcome': 'aborted',
    'openclawmu.ledger.status': 'unconfirmed',
  });
  expect(operation?.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
  expect(request).toMatchObject({ status: 0 });
});

test('what is refused before it is sent has no attempt', async () => {
  await gateway.must('PUT', '/api/v1/admin/tenants/poor/budgets', {
    period: 'month',
    metric: 'cost',
    limit: '0.0000001',
  });
  const key = await tokenOf('poor');
  const { spans, status } = await traced({ key }, 2);
  expect([status, spans.length]).toEqual([429, 2]);
  expect(spans[1]).toMatchObject({
    status: 2,
    attributes: { 'error.type': 'budget_exceeded', 'openclawmu.outcome': 'unsent', 'gen_ai.provider.name': 'openai' },
  });
  expect(spans[0]).toMatchObject({ status: 0, attributes: { 'http.response.status_code': 429 } });
  const unknown = await traced({ model: 'nobody' }, 1);
  expect([unknown.status, unknown.spans.length]).toEqual([404, 1]);
});

test('metrics are those of the conventions, with their boundaries, and name no tenant', async () => {
  // The last that was measured: with it is all that came before.
  const last = { 'error.type': 'budget_exceeded' };
  const points = await eventually(
    () => Promise.resolve(collector.points),
    (all) => all.some(({ attributes }) => contains(attributes, last)),
  );
  const of = (metric: string, attributes: object) =>
    points.find((point) => point.metric === metric && contains(point.attributes, attributes));
  const cheap = { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'cheap' };
  expect(of('gen_ai.client.operation.duration', { ...cheap, 'error.type': '400' })).toMatchObject({
    unit: 's',
    count: 1,
    bounds: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  });
  const input = of('gen_ai.client.token.usage', { 'gen_ai.request.model': 'smart', 'gen_ai.token.type': 'input' });
  expect(input).toMatchObject({ unit: '{token}', count: 1, sum: 10 });
  expect(input?.bounds.slice(0, 3)).toEqual([1, 4, 16]);
  expect(of('gen_ai.client.operation.duration', { 'gen_ai.operation.name': 'count_tokens' })).toBeDefined();
  expect(of('gen_ai.client.operation.time_to_first_chunk', {})).toBeDefined();
  expect(JSON.stringify(points)).not.toMatch(/finance|poor/);
});

const contains = (attributes: object, some: object): boolean =>
  Object.entries(some).every(([name, value]) => (attributes as Record<string, unknown>)[name] === value);

test('nobody’s words and no key is in anything that was sent', () => {
  expect(collector.spans.length).toBeGreaterThan(10);
  for (const text of [PROMPT, ANSWER, token, 'k-of-the-provider']) expect(collector.bytes.includes(text)).toBe(false);
});

test('a collector that refuses costs no call anything, and is told of once', async () => {
  collector.mood = 'refuses';
  for (let i = 0; i < 5; i++) expect((await ask()).status).toBe(200);
  const dropped = async (): Promise<number> => {
    const { text } = await gateway.call('GET', '/metrics');
    const name = 'openclawmu_telemetry_dropped_spans_total';
    return readExposition(text).find((sample) => sample.name === name)?.value ?? 0;
  };
  await eventually(dropped, (count) => count >= 15);
  for (let i = 0; i < 5; i++) expect((await ask()).status).toBe(200);
  await eventually(dropped, (count) => count >= 30);
  const warnings = gateway.logs.match(/"signal":"traces".*telemetry does not reach the collector/g);
  expect(warnings).toHaveLength(1);
  collector.mood = 'takes';
  expect((await traced()).spans).toHaveLength(3);
  await eventually(() => gateway.logs.includes('telemetry reaches the collector again'));
});

test('asked for, prompt and answer are told as the conventions have them', async () => {
  await reload(settings({ content: true }));
  const { spans } = await traced();
  const told = (name: string): unknown => JSON.parse(String(spans[1]?.attributes[name]));
  expect(told('gen_ai.input.messages')).toEqual([{ role: 'user', parts: [{ type: 'text', content: PROMPT }] }]);
  const answer = { role: 'assistant', parts: [{ type: 'text', content: ANSWER }], finish_reason: 'stop' };
  expect(told('gen_ai.output.messages')).toEqual([answer]);
  one.play(streaming('piece ', 'by piece'));
  const streamed = await traced({ stream: true });
  expect(String(streamed.spans[1]?.attributes['gen_ai.output.messages'])).toContain('piece by piece');
});

test('a department sees whether its prompts and answers stand in traces', async () => {
  const told = async (flags = '01') => {
    const calls = [
      await ask({ headers: newTrace(flags).headers }),
      await gateway.call('GET', '/v1/models', undefined, token),
    ];
    one.play(streaming('piece'));
    calls.push(await ask({ stream: true, headers: newTrace(flags).headers }));
    return calls.map(({ headers }) => headers.get('x-openclawmu-trace-content'));
  };
  const own = () => gateway.must('GET', '/api/v1/tenant', undefined, token);
  expect(await told()).toEqual(['told', 'told', 'told']);
  expect(await told('00')).toEqual([null, 'told', null]);
  expect(await own()).toMatchObject({ promptsInTraces: true });
  await reload(settings());
  expect(await told()).toEqual([null, null, null]);
  expect(await own()).toMatchObject({ promptsInTraces: false });
  await reload(settings({ content: true }));
});

test('what a policy masks is masked in a trace too', async () => {
  const rule = { name: 'people', action: 'mask', on: 'both', detect: ['personal_data'] };
  await gateway.must('PUT', '/api/v1/admin/tenants/finance/policy', { rules: [rule] });
  const message = { role: 'assistant', content: 'ask bob@example.com' };
  one.play(whole({}, { choices: [{ index: 0, message, finish_reason: 'stop' }] }));
  const content = 'write to ann@example.com';
  await eventually(
    () => ask({ content }),
    ({ headers }) => headers.has('x-openclawmu-masked'),
  );
  collector.forget();
  const [, operation] = (await traced({ content })).spans;
  const told = ['gen_ai.input.messages', 'gen_ai.output.messages'].map((name) => operation?.attributes[name]);
  expect(told).toEqual([expect.stringContaining('[email removed]'), expect.stringContaining('[email removed]')]);
  expect(collector.bytes.includes('@example.com')).toBe(false);
});

describe('a collector elsewhere', () => {
  let made: Certificates;
  /** Speaks TLS under a name that a private authority signed, and wants a client certificate of it. */
  let secured: OtlpReceiver;
  let proxy: ConnectProxy;
  beforeAll(async () => {
    made = makeCertificates();
    const [cert, key, ca] = [made.server.cert, made.server.key, made.ca].map((file) => readFileSync(file, 'utf8'));
    const tls = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
    secured = await OtlpReceiver.start(createTlsServer(tls));
    proxy = await ConnectProxy.start();
  });
  afterAll(async () => {
    await reload(settings());
    await Promise.all([secured.close(), proxy.close()]);
    made.remove();
  });
  beforeEach(() => {
    proxy.asked.length = 0;
  });

  const portOf = ({ url }: OtlpReceiver): string => new URL(url).port;
  const address = (): string => `http://user:hunter2@127.0.0.1:${proxy.port}`;
  const authorization = `Basic ${Buffer.from('user:hunter2').toString('base64')}`;
  const atFirst = { metrics: { enabled: false } };

  /** Whether a call is told there, after a reload. */
  async function told(there: OtlpReceiver, more: object, egress: object = {}): Promise<boolean> {
    await reload({ ...settings({ ...atFirst, ...more }), egress });
    const { traceId, headers } = newTrace();
    await ask({ headers });
    return eventually(() => Promise.resolve(there.spans.some((span) => span.traceId === traceId)), Boolean);
  }
  /** Why no call is told, after a reload. The log says so once while it lasts. */
  async function untold(more: object, egress: object = {}): Promise<string> {
    const faults = (): string[] => gateway.logs.match(/.*"signal":"traces".*does not reach the collector.*/g) ?? [];
    const before = faults().length;
    await reload({ ...settings({ ...atFirst, ...more }), egress });
    await ask();
    await eventually(() => faults().length > before);
    return (JSON.parse(faults().at(-1) as string) as { err: { message: string } }).err.message;
  }

  test('is trusted where its private authority is named, and given a client certificate', async () => {
    const endpoint = secured.url.replace('http:', 'https:');
    const tls = { caFile: made.ca, certFile: made.client.cert, keyFile: made.client.key, servername: 'inside.example' };
    expect(await untold({ endpoint, tls: { ...tls, caFile: undefined } })).toMatch(
      /unable to (get|verify)|self-signed/,
    );
    expect(await told(secured, { endpoint, tls })).toBe(true);
  });

  test('is reached through the outbound proxy, under a name that only that can resolve', async () => {
    const endpoint = `https://inside.example:${portOf(secured)}`;
    const tls = { caFile: made.ca, certFile: made.client.cert, keyFile: made.client.key };
    expect(await untold({ endpoint, tls })).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(await told(secured, { endpoint, tls }, { proxy: address() })).toBe(true);
    expect(proxy.asked).toEqual([{ authority: `inside.example:${portOf(secured)}`, authorization }]);
  });

  test('is not in a private network unless it is internal, and then behind no proxy but one of its own', async () => {
    const refused = '10.0.0.1 is not an address of the public internet';
    expect(await untold({ endpoint: 'https://10.0.0.1' }, { proxy: address() })).toBe(refused);
    expect(await told(collector, {}, { proxy: address() })).toBe(true);
    expect(proxy.asked).toEqual([]);
    expect(await untold({ endpoint: 'https://10.0.0.1' })).toBe(refused);
    const endpoint = `http://collector.example:${portOf(collector)}`;
    expect(await told(collector, { endpoint, internal: true, proxy: address() })).toBe(true);
    expect(proxy.asked).toEqual([{ authority: `collector.example:${portOf(collector)}`, authorization }]);
  });
});

test('turned off by a reload, what waits is sent, and nothing after', async () => {
  await reload(settings({ traces: { delayMs: 60_000 } }));
  const { traceId, headers } = newTrace();
  await ask({ headers });
  await reload({ telemetry: { enabled: false } });
  expect(await spansOf(traceId)).toHaveLength(3);
  collector.forget();
  await ask({ headers: newTrace().headers });
  expect(collector.received).toEqual([]);
});

test('a shutdown sends what waits, and is not kept by a collector that says nothing', async () => {
  await reload(settings({ traces: { delayMs: 60_000 } }));
  collector.mood = 'is silent';
  const { traceId, headers } = newTrace();
  await ask({ headers });
  expect(await gateway.stop()).toBe(0);
  expect(collector.spans.filter((span) => span.traceId === traceId)).toHaveLength(3);
});
