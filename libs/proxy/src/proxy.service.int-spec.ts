import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { postRaw, type RawAnswer } from '../../../test/support/fake-provider/raw-client';
import { RelayWorld } from '../../../test/support/relay-world';

interface Received {
  readonly message: IncomingMessage;
  readonly body: string;
}

const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}\n\n';
const DONE = 'data: [DONE]\n\n';
const WHOLE = '{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15},"choices":[]}';

let provider: Server;
let world: RelayWorld;
let received: Received[];
let tenant = '';
let tenants = 0;

beforeAll(async () => {
  provider = createServer({ keepAliveTimeout: 0 }, (message, response) => {
    const parts: Buffer[] = [];
    message.on('data', (part: Buffer) => parts.push(part));
    message.on('end', () => {
      const body = Buffer.concat(parts).toString();
      received.push({ message, body });
      const head = { 'x-request-id': 'up-1', 'set-cookie': 'a=b', 'x-ratelimit-remaining-tokens': '1' };
      if (body.includes('"stream":true'))
        response.writeHead(200, { ...head, 'content-type': 'text/event-stream' }).end(USAGE + DONE);
      else response.writeHead(200, { ...head, 'content-type': 'application/json' }).end(WHOLE);
    });
  });
  await once(provider.listen(0, '127.0.0.1'), 'listening');
  const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  world = await RelayWorld.open(
    { own: { dialect: 'openai', internal: true, apiKey: 'sk-own', baseUrl } },
    { alias: ['own', 'real-name'], same: ['own', 'same'] },
  );
});
afterAll(async () => {
  await world.close();
  provider.closeAllConnections();
  await new Promise((closed) => provider.close(closed));
});
beforeEach(async () => {
  received = [];
  tenant = `t${++tenants}`;
  await world.billing.addTenant(tenant);
});

const ask = (body: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  postRaw(`${world.url}/${tenant}/v1/chat/completions?x=1`, { 'content-type': 'application/json', ...headers }, body);

test('the provider is asked by its own name for the model, and everything else is as it was sent', async () => {
  await ask('{ "model" : "alias", "x": [1.0, 1e3],"service_tier":"flex", "messages":[] }', { cookie: 'c=d' });
  const [{ message, body } = { message: null, body: '' }] = received;
  expect(body).toBe('{ "model" : "real-name", "x": [1.0, 1e3], "messages":[] }');
  expect(message?.url).toBe('/v1/chat/completions?x=1');
  expect(message?.headers).toMatchObject({ authorization: 'Bearer sk-own', 'accept-encoding': 'identity' });
  expect(message?.headers['cookie']).toBeUndefined();
});

test('a body that needs no change is passed on byte for byte', async () => {
  const sent = '{"model":"same",\n"messages":[],"stream" : false}';
  await ask(sent);
  expect(received[0]?.body).toBe(sent);
});

test('the row names the call as its caller knows it, by the id its answer carries', async () => {
  const answer = await ask('{"model":"alias","messages":[]}');
  const told = String(answer.headers['x-openclawmu-request-id']);
  expect(answer.headers['x-request-id']).toBe('up-1');
  expect(answer.headers['set-cookie'] ?? answer.headers['x-ratelimit-remaining-tokens']).toBeUndefined();
  const row = await world.row(tenant);
  expect(row).toMatchObject({
    ...{ tenant_id: tenant, token_id: `tok_${tenant}`, subject: `ann@${tenant}` },
    ...{ model: 'alias', provider: 'own', provider_request_id: 'up-1', rate_card: 1, formula: 2 },
    ...{ status: 'actual', outcome: 'completed', cost_nanos: '105000', input_tokens: '10', output_tokens: '5' },
  });
  expect(`req_${String(row['id']).replaceAll('-', '')}`).toBe(told);
});

test.each([
  ['is hidden from who did not ask for it', '', DONE],
  ['is hidden from who declined it', ',"stream_options":{"include_usage":false,"y":1}', DONE],
  ['is left to who asked for it', ',"stream_options":{"include_usage":true}', USAGE + DONE],
])('the usage at the end of a stream %s, and always asked for', async (_, options, seen) => {
  const answer = await ask(`{"model":"same","messages":[],"stream":true${options}}`);
  expect(answer.body.toString()).toBe(seen);
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ stream_options: { include_usage: true } });
  expect(await world.booked(tenant)).toMatchObject({ status: 'actual', cost: 105_000n });
});

test('a call that is over is not counted as in flight, however it ended', async () => {
  await ask('{"model":"same","messages":[]}');
  await ask('{"model":"nothing","messages":[]}');
  await world.quiet();
  expect(world.calls.uses(`tok_${tenant}`)).toBe(false);
  const metrics = await world.registry.metrics();
  expect(metrics).toContain('openclawmu_active_calls 0');
  expect(metrics).toMatch(/calls_total\{dialect="openai",provider="own",outcome="completed"\} [1-9]/);
  expect(metrics).not.toContain('outcome="unsent"');
});

test('a budget too small is refused before anybody is asked', async () => {
  await world.limit(tenant, '0.000001');
  expect((await ask('{"model":"same","messages":[]}')).status).toBe(429);
  expect(received).toEqual([]);
  expect(await world.rowsOf(tenant)).toBe(0);
  await world.quiet();
});

test('two hundred calls at once leave no listener, no call and no hold behind', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => ask(`{"model":"same","messages":[],"stream":${i % 2 === 0}}`)),
  );
  expect(new Set(answers.map(({ status, complete }) => `${status} ${complete}`))).toEqual(new Set(['200 true']));
  await world.quiet();
  process.off('warning', note);
  expect(warnings).toEqual([]);
  expect(await world.rowsOf(tenant)).toBe(200);
});
