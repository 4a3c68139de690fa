import type { ModelEntry, ModelPrice, RateCard } from '@app/billing';
import { FakeProvider } from '../../../../test/support/fake-provider';
import { postRaw, type RawAnswer } from '../../../../test/support/fake-provider/raw-client';
import { RelayWorld } from '../../../../test/support/relay-world';

let fake: FakeProvider;
let world: RelayWorld;
let tenant = '';
let tenants = 0;
/** A model's name of its own for every test, so that scripts do not meet. */
let model = '';

beforeAll(async () => {
  fake = await FakeProvider.start();
  const common = { internal: true, apiKey: fake.apiKey, baseUrl: fake.url };
  world = await RelayWorld.open(
    { open: { dialect: 'openai', responses: true, ...common }, claude: { dialect: 'anthropic', ...common } },
    { 'gpt*': ['open', '*'], 'bare*': ['open', '*'], 'claude*': ['claude', '*'], 'plain*': ['claude', '*'] },
  );
  const { catalogue } = world.billing;
  const card = catalogue.card(1) as RateCard;
  const plain = card.prices.get('gpt*') as ModelPrice;
  const full: ModelPrice = {
    ...plain,
    audioInput: 40_000_000_000n,
    audioOutput: 80_000_000_000n,
    fees: { request: 0n, webSearch: 10_000_000n },
    tiers: new Map([['priority', { ...plain, input: 6_000_000_000n, output: 30_000_000_000n }]]),
  };
  const prices = new Map([
    ['gpt*', full],
    ['claude*', full],
    ['plain*', plain],
    ['bare*', plain],
  ]);
  const entry = (id: string): ModelEntry => ({
    ...(catalogue.model(id) as ModelEntry),
    ...{ id: `${id}*`, upstreamModel: '*', searchTokens: 2_000, maxSearches: 2, audioTokensPerSecond: 10 },
  });
  catalogue.replace({ models: ['gpt', 'bare', 'claude', 'plain'].map(entry), cards: [{ ...card, prices }] });
});
afterAll(async () => {
  await world.close();
  await fake.close();
});
beforeEach(async () => {
  tenant = `t${++tenants}`;
  model = `claude-${tenants}`;
  await world.billing.addTenant(tenant);
});
afterEach(() => world.quiet());

const post = (path: string, body: object): Promise<RawAnswer> =>
  postRaw(
    `${world.url}/${tenant}${path}`,
    { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    JSON.stringify({ messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 100, ...body }),
  );
const message = (body: object): Promise<RawAnswer> => post('/v1/messages', { model, ...body });
const chat = (body: object): Promise<RawAnswer> => post('/v1/chat/completions', { model: `gpt-${tenants}`, ...body });
const respond = (body: object, of = 'gpt'): Promise<RawAnswer> =>
  post('/v1/responses', { model: `${of}-${tenants}`, input: 'Hello!', max_output_tokens: 100, ...body });
const errorIn = ({ body }: RawAnswer): string =>
  (JSON.parse(body.toString()) as { error: { message: string } }).error.message;
const search = (more: object = {}): object => ({
  tools: [{ type: 'web_search_20250305', name: 'web_search', ...more }],
});
const searched = (web_search_requests: number): object => ({ usage: { server_tool_use: { web_search_requests } } });
/** Input of 10 and output of 4 tokens. */
const CALL = { tokens: { input: 10 }, chunks: 4 };
const CALL_NANOS = 10n * 3_000n + 4n * 15_000n;

describe('web searches', () => {
  test.each([false, true])('are billed by their fee, as often as reported (stream: %s)', async (stream) => {
    fake.script(model, { ...CALL, ...searched(2) });
    expect((await message({ ...search({ max_uses: 3 }), stream })).status).toBe(200);
    expect(await world.row(tenant)).toMatchObject({
      ...{ status: 'actual', web_searches: 2, cost_nanos: String(CALL_NANOS + 20_000_000n) },
    });
  });

  const asked = { tools: [{ type: 'web_search' }, { type: 'function', name: 'f', parameters: {} }] };
  const received = () => fake.requests.at(-1)?.json;

  test('of the responses API are allowed as often as the catalogue says', async () => {
    fake.script(`gpt-${tenants}`, CALL);
    const { status, headers } = await respond(asked);
    expect([status, headers['x-openclawmu-dropped']]).toEqual([200, undefined]);
    expect(received()).toMatchObject({ tools: asked.tools, max_tool_calls: 2 });
    expect(await world.row(tenant)).toMatchObject({ status: 'actual', cost_nanos: String(CALL_NANOS) });
  });

  test('of the responses API are taken out where the card has no price for them, and the answer says so', async () => {
    const { status, headers } = await respond(asked, 'bare');
    expect([status, headers['x-openclawmu-dropped']]).toEqual([200, 'tools.web_search']);
    expect(received()?.['tools']).toEqual([asked.tools[1]]);
  });

  test('are quarantined at the worst case if there were more than allowed', async () => {
    fake.script(model, { ...CALL, ...searched(9) });
    await message(search({ max_uses: 3 }));
    expect(await world.row(tenant)).toMatchObject({
      status: 'quarantined',
      reason: 'above_worst_case',
      web_searches: 3,
    });
  });

  test('need a number of uses, or a tenant that lets us choose it', async () => {
    const refused = await message(search());
    expect([refused.status, errorIn(refused)]).toEqual([
      400,
      expect.stringContaining('tools.max_uses: must be a whole number'),
    ]);
    world.clamping.add(tenant);
    expect((await message(search())).status).toBe(200);
    expect(fake.requests.at(-1)?.json['tools']).toEqual([
      { max_uses: 2, type: 'web_search_20250305', name: 'web_search' },
    ]);
    expect((await message(search({ max_uses: null }))).status).toBe(400);
  });

  test('are held with their fees and all they may add to the input', async () => {
    await world.limit(tenant, '0.03');
    expect((await message(search({ max_uses: 3 }))).status).toBe(429);
    expect((await message(search({ max_uses: 0 }))).status).toBe(200);
  });

  test('have no price where the card states none, and nothing is sent', async () => {
    const before = fake.requests.length;
    const refused = await message({ model: 'plain-1', ...search({ max_uses: 3 }) });
    expect([refused.status, errorIn(refused)]).toEqual([400, expect.stringContaining('"web_search" has no price')]);
    expect(fake.requests).toHaveLength(before);
  });

  test('nobody asked for and nobody priced are not billed as if they were free', async () => {
    fake.script('plain-2', { ...CALL, ...searched(1) });
    await message({ model: 'plain-2' });
    expect(await world.row(tenant)).toMatchObject({ status: 'quarantined', reason: 'usage_unpriced_class' });
  });

  test('of an OpenAI model are one for each answer, which it does not report', async () => {
    fake.script(`gpt-${tenants}`, CALL);
    expect((await chat({ web_search_options: {} })).status).toBe(200);
    expect(await world.row(tenant)).toMatchObject({ web_searches: 1, cost_nanos: String(CALL_NANOS + 10_000_000n) });
  });

  test('do not open the door to what nothing bounds', async () => {
    for (const type of ['code_execution_20250825', 'mcp_toolset']) {
      const refused = await message({ tools: [{ type, name: 'x' }] });
      expect([refused.status, errorIn(refused)]).toEqual([
        400,
        expect.stringContaining('nothing in the request bounds'),
      ]);
    }
  });
});

describe('sound', () => {
  const SPOKEN = { completion_tokens_details: { audio_tokens: 3 }, prompt_tokens_details: { audio_tokens: 6 } };
  const data = Buffer.concat([Buffer.from('ID3'), Buffer.alloc(30_000)]).toString('base64');
  const heard = {
    messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data, format: 'mp3' } }] }],
  };

  test('is billed in its own classes', async () => {
    fake.script(`gpt-${tenants}`, { ...CALL, usage: SPOKEN });
    expect((await chat({ ...heard, modalities: ['text', 'audio'], audio: { voice: 'ash' } })).status).toBe(200);
    expect(await world.row(tenant)).toMatchObject({
      ...{ status: 'actual', input_tokens: '4', audio_input_tokens: '6', output_tokens: '1', audio_output_tokens: '3' },
      cost_nanos: String(4n * 3_000n + 6n * 40_000n + 15_000n + 3n * 80_000n),
    });
  });

  test('that nobody asked for is quarantined if it passes the worst case of what was asked for', async () => {
    fake.script(`gpt-${tenants}`, {
      tokens: { input: 10 },
      chunks: 100,
      usage: { completion_tokens_details: { audio_tokens: 100 } },
    });
    await chat({});
    expect(await world.row(tenant)).toMatchObject({ status: 'quarantined', reason: 'above_worst_case' });
  });
});

describe('service tiers', () => {
  test('pass if the card prices them, and are billed as the provider reports', async () => {
    fake.script(`gpt-${tenants}`, { ...CALL, serviceTier: 'priority' });
    await chat({ service_tier: 'priority' });
    expect(fake.requests.at(-1)?.json['service_tier']).toBe('priority');
    expect(await world.row(tenant)).toMatchObject({
      ...{ service_tier: 'priority', cost_nanos: String(10n * 6_000n + 4n * 30_000n), status: 'actual' },
    });
  });

  test('are held at the dearest', async () => {
    await world.limit(tenant, '0.006');
    expect((await chat({ service_tier: 'priority' })).status).toBe(429);
    expect((await chat({ service_tier: 'flex' })).status).toBe(200);
  });

  test('are billed at the standard one if the call ended there', async () => {
    fake.script(`gpt-${tenants}`, CALL);
    await chat({ service_tier: 'priority' });
    expect(await world.row(tenant)).toMatchObject({ service_tier: null, cost_nanos: String(CALL_NANOS) });
  });

  test('are taken out where the card does not price them', async () => {
    await chat({ service_tier: 'flex' });
    expect(fake.requests.at(-1)?.json['service_tier']).toBeUndefined();
  });
});

test('whom a call is for stands in its row', async () => {
  await chat({ user: 'ann@example.com' });
  expect(await world.row(tenant)).toMatchObject({ end_user: 'ann@example.com' });
});
