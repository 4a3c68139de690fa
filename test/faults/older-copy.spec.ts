import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expectAllBooked } from '../support/all-booked';
import { Books } from '../support/books';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { readExposition } from '../support/exposition';
import { FakeProvider } from '../support/fake-provider';
import { Gateway } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { OlderCopy } from '../support/older-copy';
import { expectNothingLeft } from '../support/processes';

/**
 * The database is restored from an older copy while a gateway runs, or a standby takes its place that had not received everything. The
 * gateway finds it out and takes no more calls; what its journal still has is booked by the next start.
 */

const OLDER = /restored from an older copy, or a standby that was behind was promoted/;

let fake: FakeProvider;
let gateway: Gateway;
let department: Department;
let copy: OlderCopy | undefined;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake) });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '20.00' });
});
afterAll(async () => {
  await gateway.remove();
  await copy?.drop();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});

interface Failed {
  readonly status: number;
  readonly message: string;
}

const call = (index: number, model = 'fake-n5'): Promise<number | Failed> =>
  callModel(gateway.url, department.token, CALL_KINDS[index % CALL_KINDS.length] as CallKind, model).then(
    () => 200,
    ({ status, message }: Failed) => ({ status, message }),
  );
const ready = () => gateway.call('GET', '/readyz', undefined, '');

async function callAndBook(count: number): Promise<void> {
  for (let index = 0; index < count; index++) expect(await call(index)).toBe(200);
  const books = await Books.open(gateway.place.database);
  await eventually(async () => (await books.calls(department.id)).length === fake.tally().calls);
  await books.close();
}

test('a gateway under which the database goes back takes no more calls, and its next start bills all it still knows', async () => {
  await callAndBook(4);
  copy = await OlderCopy.of(gateway.place.database);
  await eventually(async () => (await ready()).status === 200);
  await callAndBook(8);
  const held = Array.from({ length: 6 }, (_, index) => call(index, `fake-n5-h2-i${20 + index}`));
  await fake.waitFor(({ requests }) => requests.filter(({ paused }) => paused).length === held.length);

  await copy.restore();
  const answer = await eventually(ready, ({ text }) => OLDER.test(text));
  expect([answer.status, answer.body['code']]).toEqual([503, 'database_unavailable']);
  const sent = fake.tally().calls;
  expect(await call(0)).toEqual({ status: 503, message: expect.stringMatching(OLDER) as string });
  expect(fake.tally().calls).toBe(sent);
  for (const request of fake.requests.filter(({ paused }) => paused)) request.resume();
  expect(await Promise.all(held)).toEqual(Array(held.length).fill(200));
  const metrics = readExposition((await gateway.call('GET', '/metrics')).text);
  const read = (metric: string) => metrics.find(({ name }) => name === metric)?.value;
  expect(read('openclawmu_fenced')).toBe(1);
  expect(read('openclawmu_missing_commits')).toBeGreaterThan(0);
  expect(read('openclawmu_unflushed_rows')).toBe(held.length);
  expect(gateway.logs).toMatch(/"level":"fatal".*the database does not know all that this process has booked/);

  expect(await gateway.stop()).toBe(0);
  const { place } = gateway;
  await rename(join(place.folder, 'data/audit'), join(place.folder, 'audit-of-before'));
  gateway = await Gateway.start({ place, providers: fakeProviders(fake) });
  await expectAllBooked(place.database, [department], fake);
  expect(fake.tally().calls).toBe(4 + 8 + held.length);
  expect(await call(0)).toBe(200);
}, 60_000);
