import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDepartment, eventually, fakeProviders, offerFakeModels } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { createPlace, Gateway, type Place } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/** `kill -9` of a gateway that runs its own database, as a newcomer's does. */

let fake: FakeProvider;
let place: Place;
let gateway: Gateway;

/** Without an address of a database the gateway starts one in its data directory. */
const start = () =>
  Gateway.start({
    place,
    providers: fakeProviders(fake),
    env: { DATABASE_URL: '', DATABASE_MIGRATION_URL: '' },
  });

/** The process of the gateway's own server, or 0 while it has none. */
const serverPid = async (): Promise<number> =>
  Number.parseInt(await readFile(join(place.folder, 'data/postgres/pgdata/postmaster.pid'), 'utf8').catch(() => '0'));

beforeAll(async () => {
  fake = await FakeProvider.start();
  place = await createPlace();
  gateway = await start();
}, 60_000);
afterAll(async () => {
  // In good order, so that the server's socket folder goes too.
  expect(await gateway.stop()).toBe(0);
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(place.folder);
});

test('takes the server along, and the next start finds everything and bills what was open', async () => {
  await offerFakeModels(gateway);
  const department = await createDepartment(gateway, { budget: '10.00' });
  const kind = CALL_KINDS[0] as CallKind;
  await callModel(gateway.url, department.token, kind, 'fake-n3');
  const open = callModel(gateway.url, department.token, kind, 'fake-n9-h3').catch(() => undefined);
  const held = await fake.waitForRequest('fake-n9-h3');
  await fake.waitFor(() => held.paused);
  await gateway.kill();
  await open;
  await expectNothingLeft(place.folder);

  gateway = await start();
  await callModel(gateway.url, department.token, kind, 'fake-n4');
  const usage = '/api/v1/tenant/usage/requests';
  const rows = await eventually(
    async () =>
      (await gateway.must<{ items: Row[] }>('GET', usage, undefined, department.token)).items
        .map(({ model, status }) => `${model} ${status}`)
        .sort(),
    ({ length }) => length === 3,
  );
  expect(rows).toEqual(['fake-n3 actual', 'fake-n4 actual', 'fake-n9-h3 unconfirmed']);
  expect(await gateway.must('GET', '/api/v1/admin/audit/verification')).toMatchObject({ ok: true, fault: null });
}, 60_000);

test('brings its server back when that is killed, and bills what was under way', async () => {
  const department = await createDepartment(gateway, { budget: '10.00' });
  const kind = CALL_KINDS[0] as CallKind;
  const open = callModel(gateway.url, department.token, kind, 'fake-n9-h4');
  const held = await fake.waitForRequest('fake-n9-h4');
  await fake.waitFor(() => held.paused);
  const killed = await serverPid();
  process.kill(killed, 'SIGKILL');
  held.resume();
  await open;
  // A server's sessions outlive it by a moment, in which the gateway is ready, and then not again; the next starts after that.
  await eventually(serverPid, (pid) => pid > 0 && pid !== killed, 20_000);
  await eventually(
    () => gateway.call('GET', '/readyz'),
    ({ status }) => status === 200,
    20_000,
  );
  const { body } = await eventually(
    () => gateway.call<{ items: Row[] }>('GET', '/api/v1/tenant/usage/requests', undefined, department.token),
    (answer) => answer.status === 200 && answer.body.items.length === 1,
  );
  expect(body.items).toMatchObject([{ model: 'fake-n9-h4', status: 'actual' }]);
  expect(await gateway.must('GET', '/api/v1/admin/audit/verification')).toMatchObject({ ok: true, fault: null });
}, 60_000);

interface Row {
  readonly model: string;
  readonly status: string;
}
