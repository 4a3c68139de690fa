import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { postRaw, type RawAnswer } from '../../../../test/support/fake-provider/raw-client';
import { RelayWorld } from '../../../../test/support/relay-world';

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

const SSE = { 'content-type': 'text/event-stream' };
const OPENAI = '{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}';
const ANTHROPIC = '{"content":[],"usage":{"input_tokens":10,"output_tokens":5},"stop_reason":"end_turn"}';
const ANTHROPIC_STREAM =
  'data: {"type":"message_start","message":{"usage":{"input_tokens":10,"output_tokens":1}}}\n\n' +
  'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}\n\n' +
  'data: {"type":"message_stop"}\n\n';

/** What no count is, and providers of a test each: who did not count is left alone for a while. */
const NO_COUNTS = ['{"input_tokens":-5}', '{"input_tokens":"7"}', '{}', '[', '"x"'];
const UNCOUNTED = ['other', 'quiet', ...NO_COUNTS.map((_, index) => `bad${index}`)];

/** Nano-units of a token, of input and of output. */
const [IN, OUT] = [3_000n, 15_000n];

let provider: Server;
let world: RelayWorld;
let received: Received[];
/** How the provider counts tokens. */
let counts: (response: ServerResponse) => void;
/** What was held while the provider had the request. */
let heldNanos: bigint[];
let tenant = '';
let tenants = 0;

beforeAll(async () => {
  provider = createServer({ keepAliveTimeout: 0 }, (message, response) => {
    const parts: Buffer[] = [];
    message.on('data', (part: Buffer) => parts.push(part));
    message.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
      const path = message.url ?? '';
      received.push({ path, headers: message.headers, body });
      if (path.endsWith('/count_tokens')) return counts(response);
      heldNanos.push(world.quota.holds.facts.heldNanos);
      if (path.endsWith('/completions')) response.end(OPENAI);
      else if (body['stream'] === true) response.writeHead(200, SSE).end(ANTHROPIC_STREAM);
      else response.end(ANTHROPIC);
    });
  });
  await once(provider.listen(0, '127.0.0.1'), 'listening');
  const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const own = { internal: true, apiKey: 'sk-own', baseUrl };
  world = await RelayWorld.open(
    {
      open: { dialect: 'openai', ...own },
      claude: { dialect: 'anthropic', ...own },
      ...Object.fromEntries(UNCOUNTED.map((name) => [name, { dialect: 'anthropic', ...own }])),
    },
    {
      ...{ gpt: ['open', 'gpt'], claude: ['claude', 'claude-up'] },
      ...Object.fromEntries(UNCOUNTED.map((name) => [name, [name, name]])),
    },
  );
});
afterAll(async () => {
  await world.close();
  provider.closeAllConnections();
  await new Promise((closed) => provider.close(closed));
});
beforeEach(async () => {
  received = [];
  heldNanos = [];
  counts = (response) => response.writeHead(404).end('{}');
  tenant = `t${++tenants}`;
  world.clamping.add(tenant);
  await world.billing.addTenant(tenant);
});
afterEach(() => world.quiet());

const post = (path: string, body: object): Promise<RawAnswer> =>
  postRaw(`${world.url}/${tenant}${path}`, { 'content-type': 'application/json' }, JSON.stringify(body));
const chat = (more: object): Promise<RawAnswer> =>
  post('/v1/chat/completions', { model: 'gpt', messages: [], ...more });
const message = (more: object): Promise<RawAnswer> => post('/v1/messages', { model: 'claude', messages: [], ...more });
const clampedTo = ({ headers }: RawAnswer): number => Number(headers['x-openclawmu-output-clamped']);
/** The request as the provider got it. */
const sent = (): Record<string, unknown> => received.find(({ path }) => !path.endsWith('count_tokens'))?.body ?? {};

describe('a tenant that chose shorter answers', () => {
  beforeEach(() => world.limit(tenant, '0.01'));

  test.each([
    ['no limit', {}, ['max_tokens']],
    ['a limit', { max_tokens: 900 }, ['max_tokens']],
    ['the newer limit', { max_completion_tokens: 900 }, ['max_completion_tokens']],
    ["llama.cpp's limit beside another", { max_tokens: 1, n_predict: 900 }, ['max_tokens', 'n_predict']],
    ['both limits', { max_tokens: 800, max_completion_tokens: 900 }, ['max_tokens', 'max_completion_tokens']],
  ])('gets what its budget covers for a request with %s, and is told', async (_, limits, members) => {
    const answer = await chat(limits);
    expect(answer.status).toBe(200);
    const limit = clampedTo(answer);
    expect(limit).toBeGreaterThan(256);
    expect(limit).toBeLessThan(800);
    const { model: __, messages: ___, ...rest } = sent();
    expect(rest).toEqual(Object.fromEntries(members.map((member) => [member, limit])));
    // As much as there is: a token more would not have been payable.
    const [held = 0n] = heldNanos;
    expect(held <= 10_000_000n && held + OUT > 10_000_000n && (held - BigInt(limit) * OUT) % IN === 0n).toBe(true);
    expect(await world.booked(tenant)).toMatchObject({ status: 'actual', cost: 105_000n });
  });

  test('shares it among several choices', async () => {
    const answer = await chat({ n: 2, max_tokens: 900 });
    expect(answer.status).toBe(429);
    expect((await chat({ n: 1, max_tokens: 900 })).status).toBe(200);
  });

  test('is told at the head of a stream too', async () => {
    const answer = await message({ model: 'other', max_tokens: 900, stream: true });
    expect(answer.body.toString()).toBe(ANTHROPIC_STREAM);
    expect(sent()['max_tokens']).toBe(clampedTo(answer));
    expect(clampedTo(answer)).toBeGreaterThan(256);
  });

  test('keeps what is set aside for thinking, or is refused', async () => {
    const thinking = (budget_tokens: number): object => ({ thinking: { type: 'enabled', budget_tokens } });
    const asked = { model: 'other', max_tokens: 900 };
    expect((await message({ ...asked, ...thinking(400) })).status).toBe(429);
    const answer = await message({ ...asked, ...thinking(100) });
    expect(answer.status).toBe(200);
    expect(clampedTo(answer)).toBeGreaterThanOrEqual(356);
  });

  test('is refused where not even the least answer is covered, or less was asked for', async () => {
    await world.limit(tenant, '0.004');
    expect((await chat({ max_tokens: 900 })).status).toBe(429);
    expect((await chat({ max_tokens: 200 })).status).toBe(429);
    expect(received).toEqual([]);
  });

  test('gets the whole answer where that is covered, and is told nothing', async () => {
    const answer = await chat({ max_tokens: 300 });
    expect([answer.status, answer.headers['x-openclawmu-output-clamped']]).toEqual([200, undefined]);
    expect(sent()).toMatchObject({ max_tokens: 300 });
  });
});

test('a tenant that did not choose so is refused', async () => {
  world.clamping.clear();
  await world.limit(tenant, '0.01');
  expect((await chat({ max_tokens: 900 })).status).toBe(429);
  expect(received).toEqual([]);
});

describe('a prompt that its bytes bound too loosely', () => {
  const messages = [{ role: 'user', content: 'word '.repeat(2_000) }];
  const asked = { model: 'claude', max_tokens: 300, messages, system: 'Be brief.', stream: false, temperature: 1 };

  beforeEach(() => world.limit(tenant, '0.02'));

  test('is counted by the provider, with nothing but what counts, before it is refused', async () => {
    counts = (response) => response.end('{"input_tokens":2000}');
    const answer = await message(asked);
    expect([answer.status, answer.headers['x-openclawmu-output-clamped']]).toEqual([200, undefined]);
    const [question] = received;
    expect(question?.path).toBe('/v1/messages/count_tokens');
    expect(question?.body).toEqual({ model: 'claude-up', messages, system: 'Be brief.' });
    expect(question?.headers['x-api-key']).toBe('sk-own');
    expect(heldNanos).toEqual([BigInt(Math.ceil(2_000 * 1.05) + 256) * IN + 300n * OUT]);
  });

  test('is not counted where its bytes fit', async () => {
    await world.limit(tenant, '1');
    expect((await message(asked)).status).toBe(200);
    expect(received.map(({ path }) => path)).toEqual(['/v1/messages']);
  });

  test('is not counted where nothing could make it fit', async () => {
    await world.limit(tenant, '0.002');
    expect((await message(asked)).status).toBe(429);
    expect(received).toEqual([]);
  });

  test('is refused where it is not counted, and the provider is not asked again for a while', async () => {
    const quiet = { ...asked, model: 'quiet' };
    expect((await message(quiet)).status).toBe(429);
    expect((await message(quiet)).status).toBe(429);
    expect(received.map(({ path }) => path)).toEqual(['/v1/messages/count_tokens']);
  });

  test.each(NO_COUNTS.map((told, index) => [told, `bad${index}`]))(
    'a count of %s counts nothing',
    async (told, model) => {
      counts = (response) => response.end(told);
      expect((await message({ ...asked, model })).status).toBe(429);
      expect(received.map(({ path }) => path)).toEqual(['/v1/messages/count_tokens']);
    },
  );
});
