import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { createLog, Secret, type Config, type GatewayConfig, type ProviderConfig } from '@app/platform';
import type { Hold } from '@app/quota';
import type { Dispatcher } from 'undici';
import { DemoProvider } from './demo/demo-provider';
import type { Passage, UpstreamRequest } from './provider/passage';
import { Upstream } from './upstream';

/** What of the configuration is read here, and how a reload is told. */
class Settings {
  current = { providers: {}, egress: {} } as GatewayConfig;
  #listener: (config: GatewayConfig) => void = () => undefined;
  onReload(listener: (config: GatewayConfig) => void): void {
    this.#listener = listener;
  }
  set(providers: Record<string, Partial<ProviderConfig>>): void {
    this.current = { providers, egress: {} } as GatewayConfig;
    this.#listener(this.current);
  }
}

let server: Server;
let settings: Settings;
let upstream: Upstream;
let requests: IncomingMessage[];
/** Connections made to the server. */
let connections: Socket[];
let hold: Hold;
/** Of the log, without what each has. */
let lines: object[];

const log = createLog('info', {
  write(line) {
    const { time, pid, ...told } = JSON.parse(line) as Record<string, unknown>;
    expect([typeof time, pid]).toEqual(['string', process.pid]);
    lines.push(told);
  },
});

const provider = (fields: Partial<ProviderConfig> = {}): Partial<ProviderConfig> => ({
  dialect: 'openai',
  baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  internal: true,
  timeouts: { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000 },
  breaker: { failures: 0, openMs: 1 },
  ...fields,
});

beforeEach(async () => {
  requests = [];
  connections = [];
  lines = [];
  hold = { closed: false } as Hold;
  server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    requests.push(request);
    request.resume().once('end', () => response.end('{}'));
  });
  server.on('connection', (socket) => connections.push(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  settings = new Settings();
  upstream = new Upstream(settings as unknown as Config, await DemoProvider.start(), log);
});
afterEach(async () => {
  await upstream.close();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

const request = (fields: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  ...{ model: 'm', path: '/v1/messages?beta=true', headers: {}, body: Buffer.from('{}') },
  ...fields,
});
const quiet: Dispatcher.DispatchHandler = {
  onRequestStart: () => undefined,
  onResponseStart: () => undefined,
  onResponseData: () => undefined,
  onResponseEnd: () => undefined,
  onResponseError: () => undefined,
};
const waiter = { tenantId: 't', turn: () => undefined };

/** The whole of an answer; rejects with what the handler is told. */
const send = (asked = request(), of = 'p'): Promise<string> =>
  new Promise((resolve, reject) => {
    let body = '';
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: () => undefined,
      onResponseData: (_, chunk) => void (body += chunk.toString()),
      // A turn later, when the connection is free again.
      onResponseEnd: () => void setTimeout(resolve, 10, body),
      onResponseError: (_, error) => reject(error),
    };
    upstream.enter(of, waiter).open(hold, asked, handler);
  });

test.each([
  ['', '/v1/messages'],
  ['/', '/v1/messages'],
  ['/v1', '/v1/messages'],
  ['/v1/', '/v1/messages'],
  ['/openai', '/openai/v1/messages'],
  ['/openai/', '/openai/v1/messages'],
  ['/openai/v1', '/openai/v1/messages'],
  ['/a/b/v1/', '/a/b/v1/messages'],
  ['/api/v10', '/api/v10/v1/messages'],
])('a base URL that ends in "%s" is asked at %s', async (end, path) => {
  settings.set({ p: provider({ baseUrl: provider().baseUrl + end }) });
  await send();
  expect(requests[0]?.url).toBe(`${path}?beta=true`);
  expect(requests[0]?.method).toBe('POST');
});

test('connections are used again, and kept over a reload that does not concern them', async () => {
  settings.set({ p: provider() });
  await send();
  settings.set({ p: provider({ dialect: 'anthropic' }), q: provider() });
  await send();
  expect(connections.length).toBe(1);
  expect(upstream.provider('p')?.dialect).toBe('anthropic');
});

test.each<[string, () => Record<string, Partial<ProviderConfig>>]>([
  ['moves a provider', () => ({ p: provider({ baseUrl: `${provider().baseUrl}/elsewhere` }) })],
  ['removes a provider', () => ({})],
])('a reload that %s closes its connections, once their calls are done', async (_, next) => {
  settings.set({ p: provider() });
  server.removeAllListeners('request');
  const arrived = once(server, 'request');
  const answer = send();
  const [message, response] = (await arrived) as [IncomingMessage, ServerResponse];
  settings.set(next());
  await new Promise((later) => setTimeout(later, 20));
  expect(connections[0]?.destroyed).toBe(false);
  message.resume();
  const closed = once(connections[0] as Socket, 'close');
  response.end('late');
  expect(await answer).toBe('late');
  await closed;
});

describe('the log', () => {
  const told = (passage: Passage, ...statuses: number[]): void =>
    statuses.forEach((status) => passage.answered(status, {}));

  test('has a provider that begins to fail, and that answers again, once each and with its name', () => {
    settings.set({ p: provider({ breaker: { failures: 2, openMs: 60_000 } }) });
    const passages = [0, 1, 2, 3].map(() => upstream.enter('p', waiter));
    told(passages[0] as Passage, 200, 503);
    expect(lines).toEqual([]);
    passages[1]?.broke(new Error('other side closed'));
    told(passages[2] as Passage, 503);
    expect(lines.splice(0)).toEqual([
      {
        ...{ level: 'warn', provider: 'p', because: 'other side closed', restMs: 60_000 },
        msg: 'a provider failed several times in a row and is not asked for a while',
      },
    ]);
    told(passages[3] as Passage, 200, 200);
    expect(lines).toEqual([{ level: 'info', provider: 'p', msg: 'a provider answers again' }]);
  });

  test('has each key that a provider refuses, once and by its place, until it takes it again or there are others', () => {
    const apiKeys = [new Secret('the-first-key'), new Secret('the-second-key')];
    const sent = (): Passage => {
      const passage = upstream.enter('p', waiter);
      passage.open(hold, request(), quiet);
      return passage;
    };
    settings.set({ p: provider({ apiKeys }) });
    const [first, second] = [sent(), sent()];
    told(first, 401, 403);
    told(second, 403, 200);
    const refused = 'a provider refused a key of the configuration';
    expect(lines.splice(0)).toEqual([
      { level: 'error', provider: 'p', key: '1 of 2', status: 401, msg: refused },
      { level: 'error', provider: 'p', key: '2 of 2', status: 403, msg: refused },
      { level: 'info', provider: 'p', msg: 'a provider takes a key again that it had refused' },
    ]);
    expect(upstream.views.find(({ name }) => name === 'p')?.lastFault).toBe('refused key 2 of 2 with status 403');
    settings.set({ p: provider({ apiKey: new Secret('the-third-key') }) });
    told(sent(), 401);
    expect(lines).toEqual([{ level: 'error', provider: 'p', key: '1 of 1', status: 401, msg: refused }]);
  });
});

test('a provider that was removed is refused, and so is a hold that has ended', () => {
  const enter = (): unknown => upstream.enter('p', waiter).open(hold, request(), {});
  expect(enter).toThrow(expect.objectContaining({ code: 'provider_disabled' }));
  settings.set({ p: provider() });
  hold = { closed: true } as Hold;
  expect(enter).toThrow(TypeError);
});

test('the demonstration is a provider of its own that no reload removes', async () => {
  settings.set({});
  expect(upstream.names).toEqual(['local']);
  const asked = { model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: 2 };
  const answer = await send(
    request({ path: '/v1/chat/completions', body: Buffer.from(JSON.stringify(asked)) }),
    'local',
  );
  expect(JSON.parse(answer)).toMatchObject({ usage: { completion_tokens: 2 } });
});

test('the demonstration outlives whoever sends it nonsense', async () => {
  const nonsense = request({ path: '/v1/messages', body: Buffer.from('{') });
  await expect(send(nonsense, 'local')).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
  // An upload that breaks off.
  const socket = connect(Number(new URL(upstream.provider('local')?.baseUrl ?? '').port), '127.0.0.1');
  socket.write('POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{', () => socket.destroy());
  await new Promise((gone) => socket.once('close', gone));
  const asked = { model: 'm', messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 1 };
  expect(await send(request({ body: Buffer.from(JSON.stringify(asked)) }), 'local')).toContain('max_tokens');
});

test('a connection that the server closed while it idled is not used again', async () => {
  settings.set({ p: provider() });
  await send();
  server.closeIdleConnections();
  expect(await send()).toBe('{}');
  expect([connections.length, requests.length]).toEqual([2, 2]);
});

test('a request on a connection that the server closes at that moment is not sent twice', async () => {
  settings.set({ p: provider() });
  await send();
  server.removeAllListeners('request');
  server.on('request', (message: IncomingMessage) => {
    requests.push(message);
    message.socket.resetAndDestroy();
  });
  await expect(send()).rejects.toBeDefined();
  await new Promise((later) => setTimeout(later, 50));
  expect(requests.length).toBe(2);
});
