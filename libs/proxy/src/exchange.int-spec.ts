import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { CodedError } from '@app/platform';
import type { KnownToken } from '@app/tenancy';
import { Client } from 'pg';
import { eventually } from '../../../test/support/department';
import { openRaw, postRaw, type RawAnswer } from '../../../test/support/fake-provider/raw-client';
import { RelayWorld } from '../../../test/support/relay-world';
import { readWire } from '../../../test/support/wire';
import { Exchange } from './exchange';
import { Passage } from './provider/passage';

type Play = (response: ServerResponse, request: IncomingMessage) => void;

const event = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}\n\n';
const DONE = 'data: [DONE]\n\n';
const WHOLE = '{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}';
/** 10 tokens at 3 and 5 at 15 per million. */
const COST = 105_000n;
const SSE = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

let provider: Server;
/** Accepts connections and says nothing, not even the first word of TLS. */
let mute: TcpServer;
let world: RelayWorld;
/** Requests that arrived at the provider. */
let arrived = 0;
let play: Play;
/** Resolves when the provider's caller has hung up. */
let hungUp: Promise<void>;
/** Whatever stands between an exchange and its client in this test. */
let beforeEnd: () => void = () => undefined;
let tenant = '';
let tenants = 0;
const warnings: Error[] = [];
const noteWarning = (warning: Error): void => void warnings.push(warning);

const originOf = (server: TcpServer): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  process.on('warning', noteWarning);
  provider = createHttpServer({ keepAliveTimeout: 0 }, (request, response) => {
    arrived++;
    hungUp = new Promise((resolve) => response.once('close', () => resolve()));
    request.resume().once('end', () => play(response, request));
  });
  mute = createTcpServer((socket) => socket.resume().on('error', () => undefined));
  for (const server of [provider, mute]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const timeouts = { connectMs: 500, firstByteMs: 1_000, idleMs: 1_000 };
  const common = { dialect: 'openai', internal: true, apiKey: 'k', timeouts };
  world = await RelayWorld.open(
    {
      scripted: { ...common, baseUrl: `http://${originOf(provider)}` },
      mute: { ...common, baseUrl: `https://${originOf(mute)}` },
    },
    { m: ['scripted', 'm'], far: ['mute', 'far'] },
    (sink) => ({
      whole: (...answer) => sink.whole(...answer),
      start: (...head) => sink.start(...head),
      write: (...chunk) => sink.write(...chunk),
      end: () => (beforeEnd(), sink.end()),
      cut: (error) => sink.cut(error),
    }),
  );
});
afterAll(async () => {
  await world.close();
  provider.closeAllConnections();
  await new Promise((closed) => provider.close(closed));
  await new Promise((closed) => mute.close(closed));
  process.off('warning', noteWarning);
  expect(warnings).toEqual([]);
});
beforeEach(async () => {
  tenant = `t${++tenants}`;
  arrived = 0;
  beforeEnd = () => undefined;
  await world.billing.addTenant(tenant);
  await world.limit(tenant, '1000000.00');
});
afterEach(async () => {
  await world.quiet();
  jest.restoreAllMocks();
});

const bodyOf = (stream: boolean, model = 'm'): string =>
  JSON.stringify({ model, stream, max_tokens: 100, messages: [{ role: 'user', content: 'Hello!' }] });
const url = (): string => `${world.url}/${tenant}/v1/chat/completions`;
const ask = (stream: boolean, model?: string): Promise<RawAnswer> =>
  postRaw(url(), { 'content-type': 'application/json' }, bodyOf(stream, model));
const open = (stream: boolean, model?: string): Promise<Socket> =>
  openRaw(url(), { 'content-type': 'application/json' }, bodyOf(stream, model));
const revoke = (): void => world.calls.ended({ tokenId: `tok_${tenant}` } as KnownToken, 'revoked' as never);
const codeIn = (body: string | Buffer): unknown => /"gateway_code":"(\w+)"/.exec(body.toString())?.[1];

/** Stops every attempt to lease more budget until the returned function is called. */
async function lockBudgets(): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: world.billing.db.urls.superuserUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE openclawmu.budget_windows IN EXCLUSIVE MODE');
  return async () => {
    await client.query('COMMIT');
    await client.end();
  };
}

/** Holds back what the journal confirms, from when it has `noted` something. */
function holdJournal(): { noted: Promise<void>; confirm: () => void } {
  let note!: () => void;
  let confirm!: () => void;
  const noted = new Promise<void>((resolve) => (note = resolve));
  const gate = new Promise<void>((resolve) => (confirm = resolve));
  const { journal } = world.quota;
  const settle = journal.settle.bind(journal);
  jest.spyOn(journal, 'settle').mockImplementation(async (charge, row) => {
    await settle(charge, row);
    note();
    await gate;
  });
  return { noted, confirm };
}

describe('before anything is sent', () => {
  const nothingHappened = async (): Promise<void> => {
    await world.quiet();
    expect(await world.rowsOf(tenant)).toBe(0);
    expect(arrived).toBe(0);
  };

  test('a client that leaves in the middle of its upload', async () => {
    const before = world.endings.length;
    const socket = await openRaw(url(), { 'content-type': 'application/json', 'content-length': '5000' }, '{"model"');
    socket.destroy();
    await eventually(() => world.endings.length > before);
    expect(world.endings.at(-1)).toMatchObject({ code: 'body_malformed' });
    await nothingHappened();
  });

  test('a client that leaves while its request waits for budget', async () => {
    const unlock = await lockBudgets();
    const socket = await open(true);
    await eventually(() => world.calls.count === 1);
    socket.destroy();
    await once(socket, 'close');
    await unlock();
    await nothingHappened();
  });

  test('a token that is revoked while its request waits for budget', async () => {
    const unlock = await lockBudgets();
    const answer = ask(true);
    await eventually(() => world.calls.count === 1);
    revoke();
    await unlock();
    expect((await answer).status).toBe(401);
    await nothingHappened();
  });

  test.each([
    ['a client that leaves', false],
    ['a token that is revoked', true],
  ])('%s before the connection is there: it is made, and nothing is written to it', async (_, revoked) => {
    const dispatch = Object.getOwnPropertyDescriptor(Passage.prototype, 'open')?.value as Passage['open'];
    jest.spyOn(Passage.prototype, 'open').mockImplementation(function (this: Passage, hold, request, handler) {
      dispatch.call(this, hold, request, handler);
      if (revoked) revoke();
      else (handler as unknown as { cut(why: 'client left'): void }).cut('client left');
    });
    play = (response) => response.writeHead(200, JSON_TYPE).end(WHOLE);
    const socket = await open(false);
    if (revoked) expect((await readWire(socket)).status).toBe(401);
    await nothingHappened();
    socket.destroy();
  });

  test('a provider that is not reached in time', async () => {
    const answer = await ask(true, 'far');
    expect([answer.status, codeIn(answer.body)]).toEqual([504, 'provider_timeout']);
    await nothingHappened();
  });
});

describe('before the answer', () => {
  test('a client that leaves ends the call; what it was worth nobody knows', async () => {
    let asked = false;
    play = () => (asked = true);
    const socket = await open(false);
    await eventually(() => asked);
    socket.destroy();
    await hungUp;
    expect(await world.booked(tenant)).toMatchObject({ status: 'unconfirmed', outcome: 'aborted' });
  });

  test('a token that is revoked is answered so', async () => {
    play = () => revoke();
    const answer = await ask(true);
    expect([answer.status, codeIn(answer.body)]).toEqual([401, 'credentials_invalid']);
    await hungUp;
    expect(await world.booked(tenant)).toMatchObject({ status: 'unconfirmed', outcome: 'aborted' });
  });

  test('a provider that says nothing', async () => {
    play = () => undefined;
    const answer = await ask(true);
    expect([answer.status, codeIn(answer.body)]).toEqual([504, 'provider_timeout']);
    await hungUp;
    expect(await world.booked(tenant)).toMatchObject({ status: 'unconfirmed', outcome: 'failed' });
  });

  test('a shutdown that waits no longer is told', async () => {
    play = () => world.calls.cutAll();
    const answer = await ask(false);
    expect([answer.status, codeIn(answer.body)]).toEqual([503, 'draining']);
    expect(await world.booked(tenant)).toMatchObject({ status: 'unconfirmed', outcome: 'aborted' });
  });

  test.each<[string, Play]>([
    ['hangs up', (response) => response.destroy()],
    [
      'changes the protocol',
      (response) => response.socket?.end('HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ],
    ['answers no HTTP', (response) => response.socket?.end('SSH-2.0-OpenSSH_9\r\n')],
  ])('a provider that %s', async (_, how) => {
    play = how;
    const answer = await ask(true);
    expect([answer.status, codeIn(answer.body)]).toEqual([502, 'provider_unreachable']);
    expect(await world.booked(tenant)).toMatchObject({ status: 'unconfirmed', outcome: 'failed' });
  });
});

describe('in the middle of a stream', () => {
  const streamTwo: Play = (response) => void response.writeHead(200, SSE).write(event('a') + event('b'));

  async function untilSeen(socket: Socket, text: string): Promise<void> {
    let seen = '';
    socket.on('data', (bytes: Buffer) => (seen += bytes.toString()));
    await eventually(() => seen.includes(text));
  }

  test('a client that leaves pays for what was seen', async () => {
    play = streamTwo;
    const socket = await open(true);
    await untilSeen(socket, '"b"');
    socket.destroy();
    await hungUp;
    expect(await world.booked(tenant)).toMatchObject({ status: 'estimated', outcome: 'aborted', output: 2 });
    // Nothing was told of the input: a token for every four bytes that were sent.
    expect(Number((await world.row(tenant))['input_tokens'])).toBe(Math.ceil(bodyOf(true).length / 4));
  });

  test('and for a picture as one, not for the bytes of its file', async () => {
    play = streamTwo;
    const picture = { url: `data:image/png;base64,${'A'.repeat(900_000)}` };
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: picture },
    ];
    const asked = { model: 'm', max_tokens: 100, stream: true, messages: [{ role: 'user', content }] };
    const socket = await openRaw(url(), { 'content-type': 'application/json' }, JSON.stringify(asked));
    await untilSeen(socket, '"b"');
    socket.destroy();
    await hungUp;
    expect(await world.booked(tenant)).toMatchObject({ status: 'estimated', outcome: 'aborted', output: 2 });
  });

  test('a token that is revoked: its stream says why, and is torn', async () => {
    play = (response) => {
      streamTwo(response, response.req);
      setTimeout(revoke, 20);
    };
    const answer = await ask(true);
    expect(answer.complete).toBe(false);
    expect(codeIn(answer.body)).toBe('credentials_invalid');
    await hungUp;
    expect(await world.booked(tenant)).toMatchObject({ status: 'estimated', outcome: 'aborted', output: 2 });
  });

  test('a provider that falls silent', async () => {
    play = streamTwo;
    const answer = await ask(true);
    expect([answer.complete, codeIn(answer.body)]).toEqual([false, 'provider_timeout']);
    expect(await world.booked(tenant)).toMatchObject({ status: 'estimated', outcome: 'failed', output: 2 });
  });

  test('a provider that breaks the framing', async () => {
    play = (response) => {
      streamTwo(response, response.req);
      response.socket?.write('not a chunk\r\n');
    };
    const answer = await ask(true);
    expect([answer.complete, codeIn(answer.body)]).toEqual([false, 'provider_unreachable']);
    expect(await world.booked(tenant)).toMatchObject({ status: 'estimated', outcome: 'failed', output: 2 });
  });

  test('an error the provider tells keeps its type and loses its words, which may name the shared account', async () => {
    const told = { error: { message: 'Rate limit reached in organization org-acme', type: 'tokens', code: null } };
    play = (response) => response.writeHead(200, SSE).end(`${event('a')}data: ${JSON.stringify(told)}\n\n${USAGE}`);
    const answer = await ask(true);
    const text = answer.body.toString();
    expect(answer.complete).toBe(true);
    expect(text).not.toContain('acme');
    expect(text.startsWith(event('a'))).toBe(true);
    expect(JSON.parse(text.slice(text.lastIndexOf('data: ') + 6))).toMatchObject({ error: { type: 'tokens' } });
    expect(await world.booked(tenant)).toMatchObject({ outcome: 'failed', cost: COST });
  });

  test('a reload of the configuration that moves the provider lets the stream finish where it began', async () => {
    play = (response) => {
      streamTwo(response, response.req);
      const moved = { ...world.config.current.providers['scripted']!, baseUrl: `http://${originOf(mute)}` };
      world.upstream['configure']({
        ...world.config.current,
        providers: { ...world.config.current.providers, scripted: moved },
      });
      setTimeout(() => response.end(USAGE + DONE), 50);
    };
    const answer = await ask(true);
    world.upstream['configure'](world.config.current);
    expect(answer.complete).toBe(true);
    expect(await world.booked(tenant)).toEqual({ status: 'actual', outcome: 'completed', cost: COST, output: 5 });
  });
});

describe('at the end', () => {
  const stream: Play = (response) => response.writeHead(200, SSE).end(event('a') + USAGE + DONE);

  test('the last byte waits until the settlement is durable', async () => {
    const { noted, confirm } = holdJournal();
    let ended = false;
    beforeEnd = () => (ended = true);
    play = stream;
    const answer = ask(true);
    await noted;
    expect(world.quota.holds.facts.open).toBe(0);
    expect(ended).toBe(false);
    confirm();
    expect((await answer).complete).toBe(true);
    expect(ended).toBe(true);
    expect(await world.booked(tenant)).toEqual({ status: 'actual', outcome: 'completed', cost: COST, output: 5 });
  });

  test('so does every byte of an answer in one piece', async () => {
    const { noted, confirm } = holdJournal();
    play = (response) => response.writeHead(200, JSON_TYPE).end(WHOLE);
    const socket = await open(false);
    let seen = 0;
    socket.on('data', (bytes: Buffer) => (seen += bytes.length));
    await noted;
    expect(world.quota.holds.facts.open).toBe(0);
    expect(seen).toBe(0);
    confirm();
    await eventually(() => seen > WHOLE.length);
    socket.destroy();
    expect(await world.booked(tenant)).toMatchObject({ status: 'actual', cost: COST });
  });

  test.each([false, true])(
    'a token revoked right behind the last byte changes nothing either (stream: %s)',
    async (stream) => {
      const onResponseEnd = Reflect.get<Exchange, 'onResponseEnd'>(Exchange.prototype, 'onResponseEnd');
      jest.spyOn(Exchange.prototype, 'onResponseEnd').mockImplementation(function (this: Exchange) {
        onResponseEnd.call(this);
        this.cut(new CodedError('credentials_invalid'));
      });
      play = (response) =>
        stream
          ? response.writeHead(200, SSE).end(event('a') + USAGE + DONE)
          : response.writeHead(200, JSON_TYPE).end(WHOLE);
      const answer = await ask(stream);
      expect(answer).toMatchObject({ status: 200, complete: true });
      expect(await world.booked(tenant)).toMatchObject({ status: 'actual', outcome: 'completed', cost: COST });
      expect(await world.rowsOf(tenant)).toBe(1);
    },
  );

  test.each([
    ['a client that leaves', (socket: Socket) => void socket.destroy()],
    ['a token that is revoked', () => revoke()],
    ['a shutdown', () => world.calls.cutAll()],
  ])('%s then changes nothing any more', async (_, what) => {
    const { noted, confirm } = holdJournal();
    play = stream;
    const socket = await open(true);
    socket.resume();
    await noted;
    what(socket);
    await new Promise((later) => setTimeout(later, 20));
    confirm();
    expect(await world.booked(tenant)).toEqual({ status: 'actual', outcome: 'completed', cost: COST, output: 5 });
    socket.destroy();
  });
});

describe('unusual answers', () => {
  const UNKNOWN = { status: 'quarantined', outcome: 'failed' };
  const FREE = { status: 'actual', outcome: 'failed', cost: 0n };
  const GOOD = { status: 'actual', outcome: 'completed', cost: COST };

  test.each<[string, Play, number, string | undefined, object]>([
    [
      'early hints before the answer',
      (response) =>
        response.writeEarlyHints({ link: '</a>; rel=preload' }, () => response.writeHead(200, JSON_TYPE).end(WHOLE)),
      200,
      undefined,
      GOOD,
    ],
    [
      'trailers',
      (response) => {
        response.writeHead(200, { ...JSON_TYPE, trailer: 'x-end' }).write(WHOLE);
        response.addTrailers({ 'x-end': '1' });
        response.end();
      },
      200,
      undefined,
      GOOD,
    ],
    ['204', (response) => response.writeHead(204).end(), 502, 'provider_error', UNKNOWN],
    ['304', (response) => response.writeHead(304).end(), 502, 'provider_error', FREE],
    ['302', (response) => response.writeHead(302, { location: 'http://x/' }).end(), 502, 'provider_error', FREE],
    ['a page with status 200', (response) => response.writeHead(200).end('<html>'), 502, 'provider_error', UNKNOWN],
    [
      'half a JSON',
      (response) => response.writeHead(200, JSON_TYPE).end(WHOLE.slice(0, 40)),
      502,
      'provider_error',
      UNKNOWN,
    ],
    [
      'a compressed answer nobody asked for',
      (response) => response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end(gzipSync(WHOLE)),
      502,
      'provider_error',
      { status: 'unconfirmed', outcome: 'failed' },
    ],
    [
      'events though one piece was asked for',
      (response) => response.writeHead(200, SSE).end(USAGE + DONE),
      200,
      undefined,
      GOOD,
    ],
    [
      'more than any model writes',
      (response) => {
        response.writeHead(200, JSON_TYPE);
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024, ' ')));
        };
        response.on('drain', more);
        more();
      },
      502,
      'provider_error',
      { status: 'unconfirmed', outcome: 'failed' },
    ],
  ])('%s', async (_, how, status, code, row) => {
    play = how;
    const answer = await ask(false);
    expect([answer.status, codeIn(answer.body)]).toEqual([status, code]);
    expect(answer.complete).toBe(true);
    expect(await world.booked(tenant)).toMatchObject(row);
  });

  test('JSON by another name is called what it is', async () => {
    play = (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(WHOLE);
    const answer = await ask(false);
    expect([answer.headers['content-type'], answer.body.toString()]).toEqual(['application/json', WHOLE]);
    expect(await world.booked(tenant)).toMatchObject(GOOD);
  });

  test('one piece though a stream was asked for', async () => {
    play = (response) => response.writeHead(200, JSON_TYPE).end(WHOLE);
    const answer = await ask(true);
    expect([answer.status, answer.headers['content-type'], answer.body.toString()]).toEqual([
      200,
      'application/json',
      WHOLE,
    ]);
    expect(await world.booked(tenant)).toMatchObject(GOOD);
  });

  test('an event stream in capitals is a stream', async () => {
    play = (response) =>
      response.writeHead(200, { 'content-type': 'Text/Event-Stream' }).end(event('a') + USAGE + DONE);
    expect((await ask(true)).body.toString()).toBe(event('a') + DONE);
    expect(await world.booked(tenant)).toMatchObject(GOOD);
  });
});

describe('a reader slower than the provider', () => {
  const CHUNKS = 2_000;
  const chunk = event('x'.repeat(16_000));
  let sent = 0;

  /** Sends as fast as it is taken. */
  const pour: Play = (response) => {
    sent = 0;
    response.writeHead(200, SSE);
    const more = (): void => {
      while (sent < CHUNKS) {
        sent++;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end(USAGE + DONE);
    };
    more();
  };

  /** A client that has stopped reading, and a provider that therefore has stopped sending. */
  async function stalled(): Promise<Socket> {
    play = pour;
    const socket = await open(true);
    socket.pause();
    let last = -1;
    await eventually(async () => {
      const before = last;
      last = sent;
      await new Promise((later) => setTimeout(later, 100));
      return sent > 0 && before === sent;
    });
    return socket;
  }

  test('holds it up, so that nothing piles up here; later it gets all of it', async () => {
    const socket = await stalled();
    // The kernels' buffers on both connections take some; the gateway next to nothing.
    expect(sent * chunk.length).toBeLessThan(24_000_000);
    expect(sent).toBeLessThan(CHUNKS);
    const wire = await new Promise<number>((resolve) => {
      let bytes = 0;
      let tail = '';
      socket.on('data', (data: Buffer) => {
        bytes += data.length;
        tail = (tail + data.toString('latin1')).slice(-100);
        if (tail.endsWith('0\r\n\r\n')) resolve(bytes);
      });
      socket.resume();
    });
    expect(wire).toBeGreaterThan(CHUNKS * chunk.length);
    socket.destroy();
    expect(await world.booked(tenant)).toMatchObject({ status: 'actual', outcome: 'completed', cost: COST });
  });

  test('leaves: the provider is told, although its answer was held up', async () => {
    const socket = await stalled();
    socket.destroy();
    await hungUp;
    expect(await world.booked(tenant)).toMatchObject({ status: 'estimated', outcome: 'aborted' });
  });

  test('is revoked: its connection ends, although it reads nothing', async () => {
    const socket = await stalled();
    revoke();
    await hungUp;
    expect(await world.booked(tenant)).toMatchObject({ status: 'estimated', outcome: 'aborted' });
    await eventually(
      () => new Promise<number>((count) => world['server'].getConnections((_, n) => count(n))),
      (connections) => connections === 0,
    );
    socket.destroy();
  });
});
