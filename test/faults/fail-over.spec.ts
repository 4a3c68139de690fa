import { expectAllBooked } from '../support/all-booked';
import { asSuperuser } from '../support/database';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { Gateway } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/**
 * PostgreSQL fails over: every connection is cut, and who answers next is a standby that takes no writes until it is
 * promoted. What is under way ends well, and the same process books all of it when it can.
 */

let fake: FakeProvider;
let gateway: Gateway;
let busy: Department;
let idle: Department;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake) });
  await offerFakeModels(gateway);
  busy = await createDepartment(gateway, { budget: '20.00' });
  idle = await createDepartment(gateway, { budget: '20.00' });
});
afterAll(async () => {
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});

const call = ({ token }: Department, kind: CallKind, model: string): Promise<unknown> =>
  callModel(gateway.url, token, kind, model).then(
    () => 200,
    ({ status }: { status: number }) => status,
  );

/** What a standby does with writes, and that nobody's connection survives the change. */
async function failOver(): Promise<void> {
  const { name } = gateway.place.database;
  await asSuperuser(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await asSuperuser(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
}

test('what was under way is billed by the same process as soon as the next server takes writes', async () => {
  const kindOf = (index: number): CallKind => CALL_KINDS[index % CALL_KINDS.length] as CallKind;
  const held = Array.from({ length: 8 }, (_, index) => call(busy, kindOf(index), `fake-n5-h2-i${20 + index}`));
  await fake.waitFor(({ requests }) => requests.filter(({ paused }) => paused).length === held.length);
  await failOver();
  for (const request of fake.requests) request.resume();
  expect(await Promise.all(held)).toEqual(Array(held.length).fill(200));
  // What they did not need of their holds serves others; who has nothing leased is turned away, and nothing is sent.
  expect(await call(busy, kindOf(0), 'fake-n5')).toBe(200);
  const sent = fake.tally().calls;
  expect(await call(idle, kindOf(0), 'fake-n5')).toBe(503);
  expect(fake.tally().calls).toBe(sent);
  expect((await gateway.call('POST', '/api/v1/admin/tenants', { id: 'latecomer' })).status).toBe(503);
  expect((await gateway.call('GET', '/readyz', undefined, '')).status).toBe(503);

  // The sessions of this time would stay as they are.
  await asSuperuser(`ALTER DATABASE ${gateway.place.database.name} RESET default_transaction_read_only`);
  await eventually(async () => (await call(idle, kindOf(1), 'fake-n5')) === 200);
  await expectAllBooked(gateway.place.database, [busy, idle], fake);
  expect(gateway.process.exitCode).toBeNull();
}, 60_000);
