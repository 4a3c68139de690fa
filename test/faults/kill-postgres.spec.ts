import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterDirectory } from '../../libs/platform/src/database/cluster';
import { EmbeddedPostgres } from '../../libs/platform/src/database/embedded-postgres';
import { findPostmaster } from '../../libs/platform/src/database/postmaster';
import { expectTrailEqualsTable } from '../support/audit-trail';
import { Books } from '../support/books';
import {
  costNanosOf,
  createDepartment,
  eventually,
  fakeProviders,
  offerFakeModels,
  type Department,
} from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { createPlace, Gateway, type Place } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/** `kill -9` of the database server under a working gateway: what is under way ends well, nothing goes unbilled. */

let dataDir: string;
let postgres: EmbeddedPostgres;
let place: Place;
let fake: FakeProvider;
let gateway: Gateway;
let busy: Department;
let idle: Department;

/** A server of this test alone: the one that all tests share must not be touched. What is committed outlives the server's process. */
const startPostgres = () => EmbeddedPostgres.start({ dataDir, settings: { fsync: 'off', full_page_writes: 'off' } });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'openclawmu-postgres-'));
  postgres = await startPostgres();
  const { ownerUrl, gatewayUrl } = postgres;
  const superuserUrl = postgres.url('superuser');
  place = await createPlace({ name: 'openclawmu', ownerUrl, gatewayUrl, superuserUrl, drop: () => Promise.resolve() });
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ place, providers: fakeProviders(fake) });
  await offerFakeModels(gateway);
  busy = await createDepartment(gateway, { budget: '100.00' });
  idle = await createDepartment(gateway, { budget: '100.00' });
}, 60_000);
afterAll(async () => {
  await gateway.remove();
  await postgres.stop();
  await fake.close();
  await rm(dataDir, { recursive: true, force: true });
  await expectNothingLeft(place.folder);
  await expectNothingLeft(dataDir);
});

const call = ({ token }: Department, index: number, model: string): Promise<void> =>
  callModel(gateway.url, token, CALL_KINDS[index % CALL_KINDS.length] as CallKind, model);

async function killPostgres(): Promise<void> {
  const server = await findPostmaster(clusterDirectory(dataDir));
  if (!server) throw new Error('there is no server to be killed');
  process.kill(server.pid, 'SIGKILL');
  await eventually(async () => (await findPostmaster(clusterDirectory(dataDir))) === undefined);
}

/** 200, or what was answered in its place. */
const answerTo = (work: Promise<void>): Promise<unknown> =>
  work.then(
    () => 200,
    (error: { status: number; headers: Headers }) => [error.status, error.headers.get('retry-after')],
  );

test('streams go on, new calls are served within the lease or refused, and all of it is billed when it is back', async () => {
  // Known to the gateway, but without anything leased.
  await gateway.must('GET', '/v1/models', undefined, idle.token);
  const streams = Array.from({ length: 20 }, (_, index) => call(busy, index, 'fake-n40-g20-i50'));
  await fake.waitFor((provider) => provider.requests.reduce((pieces, request) => pieces + request.pieces, 0) >= 100);
  await killPostgres();
  await Promise.all(streams);

  // What the streams did not need of their holds is at hand, and serves others.
  expect(await answerTo(call(busy, 0, 'fake-n3-i60'))).toBe(200);
  const sent = fake.tally().calls;
  expect(await answerTo(call(idle, 0, 'fake-n3-i70'))).toEqual([503, expect.anything()]);
  expect(await answerTo(call(idle, 1, 'fake-n3-i70'))).toEqual([503, expect.anything()]);
  expect(fake.tally().calls).toBe(sent);
  // Until the lease is used up; whatever is answered, nothing is served that could not be billed.
  for (let index = 0, answer: unknown = 200; answer === 200; index++) {
    answer = await answerTo(call(busy, index, 'fake-n3-o1000-i80'));
    expect([200, 503]).toContain(answer === 200 ? 200 : (answer as [number])[0]);
  }
  expect((await gateway.call('POST', '/api/v1/admin/tenants', { id: 'latecomer' })).status).toBe(503);
  expect((await gateway.call('GET', '/readyz', undefined, '')).status).toBe(503);
  expect((await gateway.call('GET', '/healthz', undefined, '')).status).toBe(200);

  await postgres.stop();
  postgres = await startPostgres();
  await eventually(
    () => gateway.call('GET', '/readyz', undefined, ''),
    ({ status }) => status === 200,
    20_000,
  );
  await eventually(async () => (await answerTo(call(idle, 0, 'fake-n3-i90'))) === 200);

  const books = await Books.open(place.database);
  try {
    const { calls } = fake.tally();
    const rows = await eventually(
      async () => [...(await books.calls(busy.id)), ...(await books.calls(idle.id))],
      ({ length }) => length >= calls,
    );
    expect(rows.map(({ status }) => status)).toEqual(Array<string>(calls).fill('actual'));
    expect(rows.reduce((total, { costNanos }) => total + costNanos, 0n)).toBe(costNanosOf(fake.tally().tokens));
    for (const { spent, ledger, leased, leases } of await books.balances()) {
      expect(spent).toBe(ledger);
      expect(leased).toBe(leases);
    }
    await expectTrailEqualsTable(place, books);
    expect(await gateway.must('GET', '/api/v1/admin/audit/verification')).toMatchObject({ ok: true });
  } finally {
    await books.close();
  }
  expect(gateway.process.exitCode).toBeNull();
}, 90_000);
