import { Books } from '../support/books';
import { createDepartment, eventually, fakeProviders, type Department } from '../support/department';
import { FakeProvider, type Behaviour } from '../support/fake-provider';
import { failureOf, openaiClient } from '../support/fake-provider/sdk-clients';
import { Gateway } from '../support/gateway';
import { expectNothingLeft } from '../support/processes';

/** What providers bill beside plain tokens, priced by a card that came in over the API. Prices are for a million tokens. */

const TEXT = { input: '3', output: '15', cacheRead: '0.3', cacheWrite5m: '3.75', cacheWrite1h: '6' };
const PRICE = {
  ...TEXT,
  audioInput: '40',
  audioOutput: '80',
  fees: { request: '0.001', webSearch: '0.01' },
  longContext: { ...TEXT, input: '6', output: '22.5', aboveTokens: 1_000 },
  tiers: { priority: { ...TEXT, input: '6', output: '30' } },
};
const REQUEST_FEE = 1_000_000n;

let fake: FakeProvider;
let gateway: Gateway;
let books: Books;
let department: Department;
let models = 0;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake) });
  for (const [id, provider] of [
    ['open-*', 'fake-openai'],
    ['anth-*', 'fake-anthropic'],
  ])
    await gateway.must('PUT', `/api/v1/admin/models/${encodeURIComponent(id as string)}`, {
      ...{ provider, upstreamModel: '*', displayName: id, contextTokens: 200_000, maxOutputTokens: 1_000 },
      ...{ searchTokens: 2_000, maxSearches: 2, audioTokensPerSecond: 10 },
    });
  const prices = ['open-*', 'anth-*'].map((model) => ({ ...PRICE, model }));
  await gateway.must('POST', '/api/v1/admin/rate-cards', { currency: 'USD', note: 'everything', prices });
  books = await Books.open(gateway.place.database);
});
afterAll(async () => {
  await books.close();
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});
beforeEach(async () => {
  department = await createDepartment(gateway, { budget: '10.00' });
});

/** A name of its own, for which the provider does as told. Its calls have 10 tokens of input and 4 of output. */
function modelOf(family: 'open' | 'anth', behaviour: Behaviour): string {
  const model = `${family}-${++models}`;
  fake.script(model, { chunks: 4, ...behaviour, tokens: { input: 10, ...behaviour.tokens } });
  return model;
}

const post = (path: string, body: object): Promise<Response> =>
  fetch(gateway.url + path, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${department.token}`, 'content-type': 'application/json' },
      'anthropic-version': '2023-06-01',
    },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 100, ...body }),
  });

async function billed(): Promise<{ readonly status: string; readonly costNanos: bigint }> {
  const [call] = await eventually(
    () => books.calls(department.id),
    ({ length }) => length > 0,
  );
  return { status: call?.status as string, costNanos: call?.costNanos as bigint };
}

test.each([false, true])('searches are billed by their fee, stream: %s', async (stream) => {
  const model = modelOf('anth', { usage: { server_tool_use: { web_search_requests: 2 } } });
  const tools = [{ type: 'web_search_20250305', name: 'web_search', max_uses: 3 }];
  expect((await post('/v1/messages', { model, tools, stream })).status).toBe(200);
  expect(await billed()).toEqual({
    status: 'actual',
    costNanos: 10n * 3_000n + 4n * 15_000n + 2n * 10_000_000n + REQUEST_FEE,
  });
});

test('a search of an OpenAI model, which it does not report, is billed too', async () => {
  expect((await post('/v1/chat/completions', { model: modelOf('open', {}), web_search_options: {} })).status).toBe(200);
  expect(await billed()).toEqual({
    status: 'actual',
    costNanos: 10n * 3_000n + 4n * 15_000n + 10_000_000n + REQUEST_FEE,
  });
});

test('sound is billed in its own classes', async () => {
  const model = modelOf('open', {
    usage: { completion_tokens_details: { audio_tokens: 3 }, prompt_tokens_details: { audio_tokens: 6 } },
  });
  const data = Buffer.concat([Buffer.from('ID3'), Buffer.alloc(30_000)]).toString('base64');
  await openaiClient(gateway.url, department.token).chat.completions.create({
    model,
    max_tokens: 100,
    modalities: ['text', 'audio'],
    audio: { voice: 'ash', format: 'mp3' },
    messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data, format: 'mp3' } }] }],
  });
  expect(await billed()).toEqual({
    status: 'actual',
    costNanos: 4n * 3_000n + 6n * 40_000n + 15_000n + 3n * 80_000n + REQUEST_FEE,
  });
});

test('a service tier is billed as the provider reports it', async () => {
  const model = modelOf('open', { serviceTier: 'priority' });
  expect((await post('/v1/chat/completions', { model, service_tier: 'priority' })).status).toBe(200);
  expect(await billed()).toEqual({ status: 'actual', costNanos: 10n * 6_000n + 4n * 30_000n + REQUEST_FEE });
});

test('above its length a prompt is billed at the prices of long ones, as a whole', async () => {
  const model = modelOf('anth', { tokens: { input: 900, cacheRead: 200 } });
  const messages = [{ role: 'user', content: 'word '.repeat(2_000) }];
  expect((await post('/v1/messages', { model, messages })).status).toBe(200);
  expect(await billed()).toEqual({
    status: 'actual',
    costNanos: 900n * 6_000n + 200n * 300n + 4n * 22_500n + REQUEST_FEE,
  });
});

test('what they can cost at most is held: a budget below it refuses, though the tokens alone would fit', async () => {
  department = await createDepartment(gateway, { budget: '0.03' });
  const tools = [{ type: 'web_search_20250305', name: 'web_search', max_uses: 3 }];
  expect((await post('/v1/messages', { model: modelOf('anth', {}), tools })).status).toBe(429);
  department = await createDepartment(gateway, { budget: '0.03' });
  const error = await failureOf(
    openaiClient(gateway.url, department.token).chat.completions.create({
      model: modelOf('open', {}),
      max_tokens: 1_000,
      service_tier: 'priority',
      messages: [{ role: 'user', content: 'Hello!' }],
    }),
  );
  expect(error).toMatchObject({ status: 429 });
  expect((await post('/v1/messages', { model: modelOf('anth', {}) })).status).toBe(200);
});
