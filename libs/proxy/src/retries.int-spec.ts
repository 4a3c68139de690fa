import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { KnownToken } from '@app/tenancy';
import { eventually } from '../../../test/support/department';
import { openRaw, postRaw, type RawAnswer } from '../../../test/support/fake-provider/raw-client';
import { RelayWorld } from '../../../test/support/relay-world';
import {
  breakingOff,
  deadPort,
  failing,
  hangingUp,
  ScriptedProvider,
  silent,
  streaming,
  whole,
  type Play,
} from '../../../test/support/scripted-provider';

/** 10 tokens at 3 and 5 at 15 per million; `dear` costs ten times as much. */
const COST = 105_000n;
const KEYS = ['first-key-0001', 'second-key-0002', 'third-key-0003'];

let world: RelayWorld;
let one: ScriptedProvider;
let two: ScriptedProvider;
let tenant = '';
let tenants = 0;

beforeAll(async () => {
  [one, two] = [await ScriptedProvider.start(), await ScriptedProvider.start()];
  const timeouts = { connectMs: 500, firstByteMs: 300, idleMs: 300 };
  const breaker = { failures: 0 };
  const common = { dialect: 'openai', internal: true, apiKey: 'the-only-key-0000', timeouts, breaker };
  const { apiKey: _, ...keyless } = common;
  world = await RelayWorld.open(
    {
      one: { ...common, baseUrl: one.url },
      two: { ...common, baseUrl: two.url },
      dead: { ...common, baseUrl: `http://127.0.0.1:${await deadPort()}` },
      keyed: { ...keyless, baseUrl: one.url, apiKeys: KEYS },
      again: { ...common, baseUrl: one.url, retries: 2, retryMs: 2_000 },
      narrow: {
        ...common,
        baseUrl: one.url,
        maxConcurrent: 1,
        queueMs: 150,
        timeouts: { ...timeouts, firstByteMs: 5_000 },
      },
      brittle: { ...common, baseUrl: one.url, breaker: { failures: 2, openMs: 400 } },
      anth: { ...common, dialect: 'anthropic', baseUrl: one.url },
    },
    {
      cheap: ['one', 'cheap-there'],
      dear: ['two', 'dear-there', '30', '150'],
      gone: ['dead', 'gone'],
      keyed: ['keyed', 'keyed'],
      again: ['again', 'again'],
      narrow: ['narrow', 'narrow'],
      brittle: ['brittle', 'brittle'],
      claude: ['anth', 'claude'],
    },
    (sink) => sink,
    {
      routes: {
        smart: { targets: ['cheap', 'dear'] },
        lost: { targets: ['gone', 'dear'] },
        hopeless: { targets: ['gone', 'cheap'], retries: 1 },
        round: { targets: ['cheap', 'dear'], retries: 4, retryMs: 5_000 },
        hasty: { targets: ['cheap'], retries: 3, retryMs: 500 },
        crowded: { targets: ['narrow', 'dear'] },
        spared: { targets: ['brittle', 'dear'] },
        keys: { targets: ['keyed', 'dear'] },
      },
    },
  );
});
afterAll(async () => {
  await world.close();
  await Promise.all([one.close(), two.close()]);
});
beforeEach(async () => {
  tenant = `t${++tenants}`;
  one.play(whole());
  two.play(whole());
  await world.billing.addTenant(tenant);
});
afterEach(() => world.quiet());

const bodyOf = (model: string, stream = false): string =>
  JSON.stringify({ model, stream, max_tokens: 100, messages: [{ role: 'user', content: 'Hello!' }] });
const TYPE = { 'content-type': 'application/json' };
const url = (of = tenant): string => `${world.url}/${of}/v1/chat/completions`;
const ask = (model: string, stream = false, of = tenant): Promise<RawAnswer> =>
  postRaw(url(of), TYPE, bodyOf(model, stream));
const open = (model: string, of = tenant): Promise<Socket> => openRaw(url(of), TYPE, bodyOf(model));
const codeIn = (body: string | Buffer): unknown => /"gateway_code":"(\w+)"/.exec(body.toString())?.[1];
const row = (): Promise<Readonly<Record<string, string | null>>> => world.row(tenant);
const metric = async (name: string, provider: string): Promise<number> =>
  Number(
    (await world.registry.metrics()).match(new RegExp(`^${name}\\{provider="${provider}"\\} (\\S+)$`, 'm'))?.[1] ?? NaN,
  );

describe('a route', () => {
  test('asks the first of its models, and bills that one under its own name', async () => {
    const answer = await ask('smart');
    expect([answer.status, answer.headers['x-openclawmu-model']]).toEqual([200, 'cheap']);
    expect([one.models, two.models]).toEqual([['cheap-there'], []]);
    expect(await row()).toMatchObject({ model: 'cheap', provider: 'one', cost_nanos: String(COST), status: 'actual' });
  });

  test.each<[string, Play]>([
    ['fails', failing(500)],
    ['is overloaded', failing(529)],
    ['limits', failing(429, { 'retry-after': '60' })],
    ['timed out', failing(408)],
    ['answers with a page', (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>')],
    ['does not take our key', failing(401)],
  ])('asks the next when one %s, and bills what that one costs', async (_, play) => {
    one.play(play);
    for (const stream of [false, true]) {
      two.play(stream ? streaming('a', 'b') : whole());
      const answer = await ask('smart', stream);
      expect([answer.status, answer.headers['x-openclawmu-model'], two.models]).toEqual([200, 'dear', ['dear-there']]);
    }
    await world.quota.settlements.flush();
    const rows = await world.billing.asSuperuser<{ row: string }>(
      `SELECT concat_ws(' ', model, provider, cost_nanos, status) AS row FROM ledger WHERE tenant_id = '${tenant}'`,
    );
    const expected = `dear two ${COST * 10n} actual`;
    expect(rows.map((each) => each.row)).toEqual([expected, expected]);
  });

  test('asks the next when one cannot be reached, at once', async () => {
    const answer = await ask('lost');
    expect([answer.status, answer.headers['x-openclawmu-model']]).toEqual([200, 'dear']);
    expect(await row()).toMatchObject({ model: 'dear', provider: 'two' });
  });

  test.each<[string, Play]>([
    ['hangs up', hangingUp],
    ['says nothing', silent],
    ['breaks off its answer', (response) => response.writeHead(200, TYPE).write('{"ch', () => response.destroy())],
  ])('asks nobody again when one %s that may have worked on it', async (_, play) => {
    one.play(play);
    const answer = await ask('smart');
    expect(answer.status).toBeGreaterThanOrEqual(502);
    expect([one.asked.length, two.asked.length]).toEqual([1, 0]);
    expect(await row()).toMatchObject({
      model: 'cheap',
      status: 'unconfirmed',
      outcome: 'failed',
      reason: 'no_answer',
    });
  });

  test('asks nobody again once the client has seen something', async () => {
    one.play(breakingOff('a', 'b'));
    const answer = await ask('smart', true);
    expect([answer.status, answer.complete, two.asked.length]).toEqual([200, false, 0]);
    expect(await row()).toMatchObject({ model: 'cheap', status: 'estimated', outcome: 'failed' });
  });

  test.each([400, 404, 413, 422, 501])('asks nobody again when a request is refused with %i', async (status) => {
    one.play(failing(status));
    expect((await ask('smart')).status).toBe(status);
    expect(two.asked).toEqual([]);
    expect(await row()).toMatchObject({ model: 'cheap', cost_nanos: '0', outcome: 'failed' });
  });

  test('bills what an answer with an error status says was used, and asks nobody again', async () => {
    one.play(failing(500, {}, { usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } }));
    expect((await ask('smart')).status).toBe(500);
    expect(two.asked).toEqual([]);
    expect(await row()).toMatchObject({
      model: 'cheap',
      cost_nanos: String(COST),
      status: 'actual',
      outcome: 'failed',
    });
  });

  test('goes round again, waiting as long as it is asked to, and passes the last error on', async () => {
    one.play(failing(503, { 'retry-after-ms': '30' }), failing(503, { 'retry-after-ms': '30' }), failing(500));
    two.play(failing(529), failing(429, { 'retry-after': '7' }));
    const answer = await ask('round');
    expect([one.asked.length, two.asked.length]).toEqual([3, 2]);
    expect([answer.status, answer.body.toString()]).toEqual([
      500,
      expect.stringContaining('The provider failed (500)'),
    ]);
    expect(await row()).toMatchObject({ model: 'cheap', cost_nanos: '0', outcome: 'failed' });
  });

  test('waits no longer than its time, and tells the client how long it would have been', async () => {
    one.play(failing(429, { 'retry-after': '20' }));
    const answer = await ask('hasty');
    expect([answer.status, answer.headers['retry-after'], one.asked.length]).toEqual([429, '20', 1]);
  });

  test('passes a connection error on when it was the last', async () => {
    one.play(failing(503));
    const answer = await ask('hopeless');
    expect([answer.status, one.asked.length]).toEqual([503, 1]);
  });

  test('holds what the dearest may cost', async () => {
    await world.limit(tenant, '0.02');
    expect((await ask('cheap')).status).toBe(200);
    const refused = await ask('smart');
    expect([refused.status, codeIn(refused.body)]).toEqual([429, 'budget_exceeded']);
  });

  test('shortens the answer to what is payable whoever gives it', async () => {
    world.clamping.add(tenant);
    await world.limit(tenant, '0.1');
    one.play(failing(503));
    const asked = { model: 'smart', max_tokens: 1_000, messages: [{ role: 'user', content: 'Hello!' }] };
    const answer = await postRaw(url(), TYPE, JSON.stringify(asked));
    const limit = Number(answer.headers['x-openclawmu-output-clamped']);
    expect(answer.status).toBe(200);
    expect(limit).toBeLessThan(1_000);
    expect(JSON.parse(two.asked[0]?.body ?? '{}')).toMatchObject({ model: 'dear-there', max_tokens: limit });
  });

  test('counts in the budget of the model that answers, and in no other', async () => {
    await world.limit(tenant, '1', { scope: 'model', target: 'cheap' });
    await world.limit(tenant, '1', { scope: 'model', target: 'dear' });
    one.play(failing(503));
    await ask('smart');
    await world.quota.settlements.flush();
    const spent = await world.billing.asSuperuser<{ target: string; spent: string; leased: string }>(
      `SELECT target, spent, uncovered FROM openclawmu.budget_windows WHERE tenant_id = '${tenant}' AND scope = 'model' ORDER BY target`,
    );
    expect(spent.map(({ target, spent: nanos }) => [target, BigInt(nanos)])).toEqual([
      ['cheap', 0n],
      ['dear', COST * 10n],
    ]);
  });

  test('of providers of another dialect is tried like any other', async () => {
    one.play(failing(503));
    two.play(whole({}, { choices: [{ message: { content: 'Hello!' }, finish_reason: 'stop' }] }));
    const body = JSON.stringify({ model: 'smart', max_tokens: 5, messages: [{ role: 'user', content: 'Hello!' }] });
    const answer = await postRaw(`${world.url}/${tenant}/v1/messages`, TYPE, body);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ type: 'message', model: 'smart' });
    expect(JSON.parse(two.asked[0]?.body ?? '{}')).toMatchObject({ model: 'dear-there', max_tokens: 5 });
  });

  test('leaves out at once who has no way to say what was asked', async () => {
    const body = JSON.stringify({ model: 'smart', input: 'Hello!', max_output_tokens: 5, prompt: { id: 'p' } });
    const answer = await postRaw(`${world.url}/${tenant}/v1/responses`, TYPE, body);
    expect(codeIn(answer.body)).toMatch(/not_expressible|feature_not_supported/);
    expect([...one.asked, ...two.asked]).toEqual([]);
  });
});

describe('a call that waits for its next attempt', () => {
  const paused = async (): Promise<Socket> => {
    one.play(failing(503, { 'retry-after': '1' }), whole());
    const socket = await open('again');
    await eventually(() => one.asked.length === 1);
    return socket;
  };

  test('ends when its client leaves', async () => {
    const socket = await paused();
    socket.destroy();
    await world.quiet();
    expect(await row()).toMatchObject({ cost_nanos: '0', outcome: 'aborted' });
    expect(one.asked.length).toBe(1);
  });

  test('ends when its token is revoked', async () => {
    const socket = await paused();
    const told = once(socket, 'data');
    world.calls.ended({ tokenId: `tok_${tenant}` } as KnownToken, 'revoked' as never);
    expect(String(await told)).toContain('401');
    await world.quiet();
    expect(one.asked.length).toBe(1);
    socket.destroy();
  });
});

describe('a model without a route', () => {
  test('is asked once, unless its provider has retries', async () => {
    one.play(failing(503), whole());
    expect((await ask('cheap')).status).toBe(503);
    one.play(failing(503), failing(503), whole());
    expect((await ask('again')).status).toBe(200);
    expect(one.asked.length).toBe(3);
    expect((await ask('again')).headers['x-openclawmu-model']).toBeUndefined();
    expect(await metric('openclawmu_provider_retries_total', 'again')).toBeGreaterThanOrEqual(2);
  });
});

describe('several keys', () => {
  const keysUsed = (): string[] => one.asked.map(({ headers }) => headers.authorization ?? '');

  test('are used in turn, and one that is refused or limited is followed by the next and then left aside', async () => {
    const bad = `Bearer ${KEYS[1]}`;
    const byKey: Play = (response, asked) =>
      (asked.headers.authorization === bad ? failing(401) : whole())(response, asked);
    one.play(byKey);
    for (let i = 0; i < 6; i++) expect((await ask('keyed')).status).toBe(200);
    expect(keysUsed().filter((key) => key === bad)).toHaveLength(1);
    expect(new Set(keysUsed())).toEqual(new Set(KEYS.map((key) => `Bearer ${key}`)));

    one.play((response, asked) => failing(429, { 'retry-after': '60' })(response, asked));
    const limited = await ask('keyed');
    expect([limited.status, limited.headers['retry-after']]).toEqual([429, '60']);
    expect(new Set(keysUsed()).size).toBe(2);

    const [view] = world.upstream.views.filter(({ name }) => name === 'keyed');
    expect(view).toMatchObject({ keys: 3, keysAside: 3 });
    one.play(whole());
    expect((await ask('keyed')).status).toBe(200);
  });
});

describe('a provider that takes only so many calls', () => {
  const others = async (names: readonly string[]): Promise<void> => {
    for (const name of names) await world.billing.addTenant(name);
  };

  test('gets them in turns of their tenants', async () => {
    const [loud, calm] = [`${tenant}loud`, `${tenant}calm`];
    await others([loud, calm]);
    const order: string[] = [];
    let finish: () => void = () => undefined;
    one.play((response, asked) => {
      order.push(asked.headers['user-agent'] ?? '');
      finish = () => whole()(response, asked);
    });
    const call = (of: string): Promise<RawAnswer> => postRaw(url(of), { 'user-agent': of, ...TYPE }, bodyOf('narrow'));
    const calls = [call(loud)];
    await eventually(() => order.length === 1);
    calls.push(call(loud), call(loud));
    await eventually(() => world.upstream.views.some(({ waiting }) => waiting === 2));
    calls.push(call(calm));
    await eventually(() => world.upstream.views.some(({ waiting }) => waiting === 3));
    for (let n = 2; n <= 4; n++) {
      finish();
      await eventually(() => order.length === n);
    }
    finish();
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(order).toEqual([loud, loud, calm, loud]);
  });

  test('refuses who has waited too long, and holds nothing for it', async () => {
    let finish: () => void = () => undefined;
    one.play((response, asked) => void (finish = () => whole()(response, asked)));
    const first = ask('narrow');
    await eventually(() => one.asked.length === 1);
    const refused = await ask('narrow');
    expect([refused.status, codeIn(refused.body), refused.headers['retry-after']]).toEqual([503, 'provider_busy', '1']);
    const elsewhere = await ask('crowded');
    expect([elsewhere.status, elsewhere.headers['x-openclawmu-model']]).toEqual([200, 'dear']);
    finish();
    expect((await first).status).toBe(200);
    expect(one.asked.length).toBe(1);
  });

  test('has room again after a call that could not be put into its words when its turn came', async () => {
    let finish: () => void = () => undefined;
    one.play((response, asked) => void (finish = () => whole()(response, asked)), whole());
    const first = ask('narrow');
    await eventually(() => one.asked.length === 1);
    const document = { type: 'document', source: { type: 'url', url: 'https://a.example/x.pdf' } };
    const asked = { model: 'narrow', max_tokens: 5, messages: [{ role: 'user', content: [document] }] };
    const second = postRaw(`${world.url}/${tenant}/v1/messages`, TYPE, JSON.stringify(asked));
    await eventually(() => world.upstream.views.some(({ waiting }) => waiting === 1));
    finish();
    expect((await first).status).toBe(200);
    expect(codeIn((await second).body)).toBe('not_expressible');
    expect((await ask('narrow')).status).toBe(200);
    expect(world.upstream.views).toContainEqual(expect.objectContaining({ name: 'narrow', inside: 0 }));
  });

  test('does not hear of a client that left while it waited', async () => {
    let finish: () => void = () => undefined;
    one.play((response, asked) => void (finish = () => whole()(response, asked)));
    const first = ask('narrow');
    await eventually(() => one.asked.length === 1);
    const socket = await open('narrow');
    await eventually(() => world.upstream.views.some(({ waiting }) => waiting === 1));
    expect(await metric('openclawmu_provider_waiting', 'narrow')).toBe(1);
    expect(await metric('openclawmu_provider_breaker', 'narrow')).toBe(0);
    socket.destroy();
    await eventually(() => world.upstream.views.every(({ waiting }) => waiting === 0));
    finish();
    await first;
    await world.quiet();
    expect([one.asked.length, await world.rowsOf(tenant)]).toEqual([1, 1]);
  });
});

describe('a provider that fails several times in a row', () => {
  test('is spared for a while, then tried by one call', async () => {
    one.play(failing(500), failing(500), whole());
    expect([(await ask('brittle')).status, (await ask('brittle')).status]).toEqual([500, 500]);
    const refused = await ask('brittle');
    expect([refused.status, codeIn(refused.body), refused.headers['retry-after']]).toEqual([
      503,
      'provider_resting',
      '1',
    ]);
    expect((await ask('spared')).headers['x-openclawmu-model']).toBe('dear');
    expect(one.asked.length).toBe(2);
    expect(world.upstream.views).toContainEqual(expect.objectContaining({ name: 'brittle', breaker: 'open' }));
    const count = { query: '', headers: {}, body: Buffer.from('{}'), patienceMs: 1_000 };
    await expect(world.upstream.countTokens('brittle', count)).rejects.toMatchObject({ code: 'provider_resting' });
    await eventually(() => world.upstream.views.some(({ breaker }) => breaker === 'half_open'));
    expect((await ask('brittle')).status).toBe(200);
    expect(world.upstream.views.every(({ breaker }) => breaker === 'closed')).toBe(true);
  });
});

describe("a provider that repeats the gateway's key", () => {
  const KEY = 'the-only-key-0000';

  test('tells nobody of it where tokens are counted', async () => {
    one.play(failing(400, { 'request-id': KEY }, { error: { message: `Bad key ${KEY}` } }));
    const asked = { query: '', headers: {}, body: Buffer.from('{}'), patienceMs: 1_000 };
    const told = await world.upstream.countTokens('anth', asked);
    expect(one.asked[0]?.headers['x-api-key']).toBe(KEY);
    expect([told.status, told.body.toString(), JSON.stringify(told.headers)].join()).not.toContain(KEY);
  });

  test.each<[string, Play, boolean]>([
    ['in an error', failing(400, {}, { error: { message: `Bad key ${KEY} in ${KEY}` } }), false],
    ['in a header', whole({ 'x-request-id': KEY, 'openai-version': `v ${KEY}` }), false],
    ['in an answer', whole({}, { echo: `Bearer ${KEY}` }), false],
    ['in a stream', streaming('a', `Bearer ${KEY}`, 'b'), true],
    [
      'in a stream, in pieces',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const text = `data: {"choices":[{"index":0,"delta":{"content":"${KEY}"}}]}\n\n`;
        const at = text.indexOf(KEY) + 6;
        response.write(text.slice(0, at), () => setTimeout(() => response.end(text.slice(at)), 20));
      },
      true,
    ],
    [
      'in the error of a stream',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`data: {"error":{"message":"Bad key ${KEY}","type":"${KEY}"}}\n\n`);
      },
      true,
    ],
    [
      'in the page of a middlebox',
      (response) => response.writeHead(404, { 'content-type': 'text/html' }).end(KEY),
      false,
    ],
  ])('%s tells no tenant of it, nor the ledger', async (_, play, stream) => {
    one.play(play);
    const answer = await ask('cheap', stream);
    const told = JSON.stringify(answer.headers) + answer.body.toString();
    expect(told.length).toBeGreaterThan(0);
    expect(told).not.toContain(KEY);
    expect(told).not.toContain(KEY.slice(0, 12));
    await world.quiet();
    expect(JSON.stringify(await row())).not.toContain(KEY);
    expect(one.asked[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });
});
