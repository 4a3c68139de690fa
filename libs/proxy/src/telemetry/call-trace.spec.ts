import { CodedError, Secret, type Principal, type ProviderConfig } from '@app/platform';
import { Credential } from '../provider/credential';
import type { Line } from '../provider/line';
import type { RequestFacts } from '../request/request-facts';
import type { Candidate, Plan } from '../route/router';
import { measurementsOf } from './call-measurements';
import { spansOf } from './call-spans';
import { CallTrace } from './call-trace';
import { addressOf } from './provider-name';

const PARENT = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true, state: 'vendor=1' };
const candidate = { provider: 'p', upstreamModel: 'there', wire: 'chat', model: { id: 'm' } } as Candidate;
const plan: Plan = { publicModel: 'm', candidates: [candidate], rules: null };
const facts = { wire: 'chat', choices: 1, stream: false, outputLimitTokens: 7 } as RequestFacts;

const providerAt = (baseUrl: string, more: object = {}): ProviderConfig =>
  ({ baseUrl, dialect: 'openai', internal: false, ...more }) as ProviderConfig;
const lineTo = (provider: ProviderConfig): Line => ({ provider, pathOf: (path: string) => path }) as unknown as Line;
const newCall = (mostContentBytes = 0): CallTrace =>
  new CallTrace(
    { id: 'tok_1', tenantId: 'finance' } as Principal,
    { id: 'req_1', api: 'chat', userAgent: 'curl/8' },
    PARENT,
    true,
    { ended: () => undefined },
    mostContentBytes,
  );
const headersAt = (provider: ProviderConfig): Record<string, string> => {
  const call = newCall();
  const headers = {};
  call.planned(facts, plan, Buffer.from('{}'), provider);
  call.trying(candidate);
  call.sent(lineTo(provider), { headers, path: '/v1/chat/completions?key=x', model: 'there', body: Buffer.alloc(0) });
  return headers;
};

test('only a server of the company is told of the trace', () => {
  expect(headersAt(providerAt('https://api.openai.com'))).toEqual({});
  expect(headersAt(providerAt('http://10.0.0.1', { internal: true }))).toEqual({
    traceparent: expect.stringMatching(/^00-a{32}-[0-9a-f]{16}-01$/),
    tracestate: 'vendor=1',
  });
});

test('a call that was refused before anything was known of it is one span, and no measurement', () => {
  const call = newCall();
  call.failed(new CodedError('model_not_found'));
  call.end();
  const [request, ...others] = spansOf(call);
  expect([request?.parentId, request?.isError, others, measurementsOf(call)]).toEqual([PARENT.spanId, false, [], null]);
  expect(request?.attributes).toMatchObject({ 'http.response.status_code': 404, 'user_agent.original': 'curl/8' });
});

test.each([[true, 'cached'] as const, [false, 'unsent'] as const])(
  'what nobody was asked says whether it was answered all the same: %s',
  (isCached, outcome) => {
    const call = newCall();
    call.planned(facts, plan, Buffer.from('{}'), undefined);
    call.isCached = isCached;
    call.end();
    expect(spansOf(call)[1]?.attributes).toMatchObject({ 'openclawmu.outcome': outcome, 'openclawmu.attempts': 0 });
  },
);

test('what a client put behind the path is in no span, and a body is kept only where it is asked for', () => {
  const call = newCall();
  call.planned(facts, plan, Buffer.from('{}'), undefined);
  call.trying(candidate);
  call.sent(lineTo(providerAt('https://api.openai.com/v1')), {
    headers: {},
    path: '/v1/chat/completions?key=x',
    model: 'there',
    body: Buffer.alloc(0),
  });
  call.end();
  expect(spansOf(call)[2]?.attributes['url.full']).toBe('https://api.openai.com/v1/chat/completions');
  expect(call.asked).toBeNull();
});

test('tokens are counted once, and a worst case is not what was used', () => {
  const counts = {
    ...{ input: 1, audioInput: 2, cacheRead: 4, cacheWrite5m: 8, cacheWrite1h: 16 },
    ...{ output: 32, audioOutput: 64, reasoning: 128 },
  };
  const concluded = (status: 'actual' | 'unconfirmed', key: Credential | null = null): CallTrace => {
    const call = newCall();
    call.planned(facts, plan, Buffer.from('{}'), undefined);
    call.trying(candidate);
    const bill = { status, costNanos: 5n, tokens: 255, reason: null, counts, webSearches: 0, serviceTier: null };
    const head = { id: 'chatcmpl-1', model: 'there-2026' };
    call.concluded(bill, { outcome: 'completed', stopReason: 'stop', head }, 'r_1', 9, key);
    call.status = 200;
    call.end();
    return call;
  };
  const told = concluded('actual');
  expect(measurementsOf(told)).toMatchObject({
    firstChunkSeconds: null,
    tokens: [
      { count: 31, attributes: { 'gen_ai.token.type': 'input', 'gen_ai.request.model': 'm' } },
      { count: 224, attributes: { 'gen_ai.token.type': 'output' } },
    ],
  });
  expect(spansOf(told)[1]?.attributes).toMatchObject({
    'gen_ai.usage.input_tokens': 31,
    'gen_ai.usage.cache_read.input_tokens': 4,
    'gen_ai.usage.cache_creation.input_tokens': 24,
    'gen_ai.usage.output_tokens': 224,
    'gen_ai.usage.reasoning.output_tokens': 128,
    'gen_ai.response.id': 'chatcmpl-1',
    'gen_ai.response.model': 'there-2026',
    'gen_ai.response.finish_reasons': ['stop'],
    'openclawmu.output.clamped_to': 9,
    'openclawmu.provider.request.id': 'r_1',
    'openclawmu.cost': '0.000000005',
  });
  expect(measurementsOf(told)?.attributes).toMatchObject({ 'gen_ai.response.model': 'there' });
  const repeated = concluded('actual', new Credential(new Secret('chatcmpl-1'), 'x-api-key'));
  expect(spansOf(repeated)[1]?.attributes).not.toHaveProperty('gen_ai.response.id');
  const owed = concluded('unconfirmed');
  expect(measurementsOf(owed)).toMatchObject({ tokens: [] });
  expect(spansOf(owed)[1]?.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
});

test.each([
  ['https://api.anthropic.com', { dialect: 'anthropic' }, 'anthropic', 443],
  ['https://api.groq.com/openai/v1', {}, 'groq', 443],
  ['https://notapi.groq.com', {}, 'openai', 443],
  ['https://x.openai.azure.com', {}, 'azure.ai.openai', 443],
  ['https://own.example', { azure: {} }, 'azure.ai.openai', 443],
  ['http://vllm.internal:8000/v1', {}, 'openai', 8000],
  ['https://generativelanguage.googleapis.com', { dialect: 'gemini' }, 'gcp.gemini', 443],
])('a provider at %s has the name the conventions know it by', (baseUrl, more, name, port) =>
  expect(addressOf(providerAt(baseUrl, more))).toMatchObject({ name, port }),
);
