import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { Books, sum, type BookedCall } from '../support/books';
import {
  costNanosOf,
  createDepartment,
  eventually,
  fakeProviders,
  offerFakeModels,
  type Department,
} from '../support/department';
import { FakeProvider, type ReceivedRequest } from '../support/fake-provider';
import { Gateway, type GatewayOptions } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/**
 * `kill -9` of a gateway at each step of a call, one at a time and exactly there: what the next start books, and that it is
 * booked once. The table in docs/failures.md names these tests.
 */

let fake: FakeProvider;
/** Takes connections and never says a word: a provider with TLS is not connected yet. */
let mute: Server;
let gateway: Gateway;
let books: Books;
let department: Department;

const providers = () => ({
  ...fakeProviders(fake),
  mute: {
    dialect: 'openai',
    baseUrl: `https://127.0.0.1:${(mute.address() as AddressInfo).port}`,
    apiKey: 'sk-mute',
    internal: true,
  },
});
const start = (place?: Gateway['place'], more: Partial<GatewayOptions> = {}) =>
  Gateway.start({ providers: providers(), config: { cache: {} }, ...(place && { place }), ...more });

beforeAll(async () => {
  fake = await FakeProvider.start();
  mute = createServer().listen(0, '127.0.0.1');
  await once(mute, 'listening');
  gateway = await start();
  await offerFakeModels(gateway);
  await gateway.must('PUT', '/api/v1/admin/models/fakeless', {
    provider: 'mute',
    upstreamModel: 'fakeless',
    displayName: 'never connected',
    contextTokens: 200_000,
    maxOutputTokens: 1_000,
  });
  books = await Books.open(gateway.place.database);
});
afterAll(async () => {
  await books?.close();
  await gateway.remove();
  await fake.close();
  mute.close();
  await expectNothingLeft(gateway.place.folder);
});
beforeEach(async () => {
  department = await createDepartment(gateway, { budget: '10.00' });
});

/** The worst case of a call of `callModel`: every byte and the template as input at its dearest, and all of the output. */
const WORST_NANOS = (400n + 1_024n) * 6_000n + 1_000n * 15_000n;
const AT_WORST = Array(CALL_KINDS.length).fill({ status: 'unconfirmed', costNanos: WORST_NANOS });

/** Calls in every way at once; each resolves with whether its caller has read the answer to its end. */
const begin = (model: string): Promise<boolean>[] => CALL_KINDS.map((kind) => beginOne(kind, model));

const beginOne = (kind: CallKind, model: string): Promise<boolean> =>
  callModel(gateway.url, department.token, kind, model).then(
    () => true,
    () => false,
  );

/** Waits until the provider is silent in the middle of all of them. */
async function paused(model: string): Promise<ReceivedRequest[]> {
  const standing = () => fake.requests.filter((request) => request.model.endsWith(model) && request.paused);
  await fake.waitFor(() => standing().length === CALL_KINDS.length);
  return standing();
}

/** Starts anew, waits until all is as it was, and gives the rows. */
async function rowsAfterRestart(): Promise<BookedCall[]> {
  gateway = await start(gateway.place);
  const windows = await eventually(
    () => books.windows(department.id),
    (all) => all.length > 0 && all.every(({ leased, spent }) => leased === 0n && spent > 0n),
  );
  const rows = await books.calls(department.id);
  for (const { spent } of windows) expect(spent).toBe(sum(rows.map(({ costNanos }) => costNanos)));
  return rows;
}

test('before anything is sent: at its worst case, because nobody can know', async () => {
  const connected = once(mute, 'connection');
  const call = beginOne(CALL_KINDS[0] as CallKind, 'fakeless');
  await connected;
  await gateway.kill();
  expect(await call).toBe(false);
  expect(await rowsAfterRestart()).toMatchObject(AT_WORST.slice(0, 1));
}, 60_000);

test.each([
  ['before the first byte', 'fake-n5-silent'],
  ['after the first byte', 'fake-n5-h2'],
])(
  '%s: at its worst case',
  async (_, model) => {
    const calls = begin(model);
    await paused(model);
    await gateway.kill();
    expect(await Promise.all(calls)).toEqual([false, false, false, false]);
    expect(await rowsAfterRestart()).toMatchObject(AT_WORST);
  },
  60_000,
);

test('after the last byte, and before it is settled: at its worst case', async () => {
  const calls = begin('fake-n5-h4');
  const requests = await paused('fake-n5-h4');
  // Stopped in its tracks, it is sent the last byte and cannot settle.
  gateway.process.kill('SIGSTOP');
  for (const request of requests) request.resume();
  await fake.waitFor(() => requests.every(({ outcome }) => outcome === 'completed'));
  await gateway.kill();
  expect(await Promise.all(calls)).toEqual([false, false, false, false]);
  expect(await rowsAfterRestart()).toMatchObject(AT_WORST);
}, 60_000);

test('after it is settled, and before it is in the ledger: at its cost', async () => {
  const lock = await lockedLedger();
  expect(await Promise.all(begin('fake-n5-o700'))).toEqual([true, true, true, true]);
  expect(await books.calls(department.id)).toEqual([]);
  await gateway.kill();
  await lock.end();
  const rows = await rowsAfterRestart();
  expect(rows.map(({ status }) => status)).toEqual(['actual', 'actual', 'actual', 'actual']);
  const charged = new Map(fake.requests.map((request) => [request.requestId, costNanosOf(request.charged)]));
  for (const { providerRequestId, costNanos } of rows) expect(costNanos).toBe(charged.get(providerRequestId as string));
  expect(new Set(rows.map(({ providerRequestId }) => providerRequestId)).size).toBe(CALL_KINDS.length);
}, 60_000);

test('after it is in the ledger, and before the journal is done with it: once', async () => {
  expect(await Promise.all(begin('fake-n5-o600'))).toEqual([true, true, true, true]);
  const booked = await eventually(
    () => books.calls(department.id),
    ({ length }) => length === CALL_KINDS.length,
  );
  await gateway.kill();
  expect(await rowsAfterRestart()).toEqual(booked);
}, 60_000);

test('while the response cache answers, before that is settled and after: for nothing, and the answer is kept', async () => {
  const body = { model: 'fake-n5', max_tokens: 50, messages: [{ role: 'user', content: 'Said again' }] };
  const ask = async (): Promise<{ readonly text: string; readonly cache: string | null }> => {
    const { text, headers } = await gateway.call('POST', '/v1/chat/completions', body, department.token);
    return { text, cache: headers.get('x-openclawmu-cache') };
  };
  await gateway.stop();
  gateway = await start(gateway.place, killedAtSettlement('before'));
  await gateway.must('PATCH', '/api/v1/tenant', { settings: { cacheSeconds: 600 } }, department.token);
  const bought = await eventually(ask, ({ cache }) => cache === 'miss');
  await eventually(async () => (await books.query('SELECT FROM cached_answers')).length > 0);
  const asked = fake.tally().calls;

  await expect(ask()).rejects.toThrow();
  expect(await eventually(() => gateway.process.signalCode)).toBe('SIGKILL');
  gateway = await start(gateway.place, killedAtSettlement('after'));
  await expect(ask()).rejects.toThrow();
  expect(await eventually(() => gateway.process.signalCode)).toBe('SIGKILL');

  const rows = await rowsAfterRestart();
  expect(rows.slice(0, -2).filter(({ status, costNanos }) => status !== 'actual' || costNanos === 0n)).toEqual([]);
  expect(rows.slice(-2)).toMatchObject([
    { status: 'unconfirmed', costNanos: 0n },
    { status: 'actual', costNanos: 0n },
  ]);
  const path = '/api/v1/tenant/budgets';
  const { items } = await gateway.must<{ items: { held: string }[] }>('GET', path, undefined, department.token);
  expect(items.filter(({ held }) => Number(held) !== 0)).toEqual([]);
  expect(await ask()).toEqual({ text: bought.text, cache: 'hit' });
  expect(fake.tally().calls).toBe(asked);
}, 60_000);

const killedAtSettlement = (moment: 'before' | 'after'): Partial<GatewayOptions> => ({
  node: ['--require', join(__dirname, '../support/killed-at-settlement.cjs')],
  env: { KILLED: moment },
});

/** Nobody can write into the ledger until the connection ends; reading is free. */
async function lockedLedger(): Promise<Client> {
  const client = new Client({
    connectionString: gateway.place.database.superuserUrl,
    options: '-c search_path=openclawmu',
  });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE ledger IN SHARE MODE');
  return client;
}
