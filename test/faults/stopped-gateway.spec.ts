import { setTimeout as delay } from 'node:timers/promises';
import { rm } from 'node:fs/promises';
import { Books, sum } from '../support/books';
import {
  costNanosOf,
  createDepartment,
  eventually,
  fakeProviders,
  offerFakeModels,
  type Department,
} from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { beside, Gateway } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/** A gateway that is stopped in its tracks for longer than anybody waits, and then goes on (`SIGSTOP`, `SIGCONT`). */

/** Two rounds of looking for dead processes. */
const SWEEPS_MS = 7_000;

let fake: FakeProvider;
let gateway: Gateway;
let slow: Gateway;
let books: Books;
let department: Department;

beforeEach(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake) });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '1.00' });
  books = await Books.open(gateway.place.database);
});
afterEach(async () => {
  slow.process.kill('SIGKILL');
  if (slow.place.folder !== gateway.place.folder) await rm(slow.place.folder, { recursive: true, force: true });
  await books.close();
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});

const call = (at: Gateway, kind: CallKind, model: string): Promise<number> =>
  callModel(at.url, department.token, kind, model).then(
    () => 200,
    ({ status }: { status: number }) => status,
  );

/** Calls of every kind, silent in the middle, and their gateway stopped. */
async function stopAmidCalls(): Promise<Promise<number>[]> {
  const calls = CALL_KINDS.map((kind) => call(slow, kind, 'fake-n5-h2-i40'));
  await fake.waitFor(({ requests }) => requests.filter(({ paused }) => paused).length === calls.length);
  slow.process.kill('SIGSTOP');
  return calls;
}

/** As the network would, that is cut for longer than TCP waits: its lock is gone, and it cannot take it again. */
const cutOff = (): Promise<unknown> =>
  books.query(
    `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN gateway_processes p
       ON l.objid::bigint = (('x' || right(replace(p.id::text, '-', ''), 8))::bit(32)::bigint)
     WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND p.pid = $1`,
    [slow.process.pid],
  );

const endOf = async (pid: number | undefined): Promise<unknown> =>
  (await books.query('SELECT ended_how FROM gateway_processes WHERE pid = $1', [pid]))[0]?.['ended_how'];

async function everyCallIsBilledOnce(): Promise<void> {
  const { calls, tokens } = fake.tally();
  const rows = await eventually(
    () => books.calls(department.id),
    ({ length }) => length >= calls,
  );
  expect(rows.map(({ status }) => status)).toEqual(Array<string>(calls).fill('actual'));
  expect(sum(rows.map(({ costNanos }) => costNanos))).toBe(costNanosOf(tokens));
}

test('beside others on its machine it is not taken for dead, and its calls end as ever', async () => {
  slow = await Gateway.start({ providers: fakeProviders(fake), place: gateway.place });
  const calls = await stopAmidCalls();
  await cutOff();
  // The others go on, up to the limit, for what it holds is still its own.
  const others = await Promise.all(
    Array.from({ length: 60 }, (_, index) => call(gateway, CALL_KINDS[index % 4] as CallKind, 'fake-n3-o900')),
  );
  expect(new Set(others)).toEqual(new Set([200, 429]));
  await delay(SWEEPS_MS);
  expect(await endOf(slow.process.pid)).toBeNull();

  slow.process.kill('SIGCONT');
  for (const request of fake.requests.filter(({ paused }) => paused)) request.resume();
  expect(await Promise.all(calls)).toEqual([200, 200, 200, 200]);
  await everyCallIsBilledOnce();
  const balances = await eventually(
    () => books.balances(),
    (all) => all.every(({ leased }) => leased === 0n),
    20_000,
  );
  for (const { spent, ledger, leases } of balances) expect([spent, leases]).toEqual([ledger, 0n]);
}, 120_000);

test('given up for lost and written off, it takes no work when it goes on, and nothing counts twice', async () => {
  const elsewhere = await beside(gateway.place);
  slow = await Gateway.start({ providers: fakeProviders(fake), place: elsewhere });
  const calls = await stopAmidCalls();
  const resolve = (id: string) =>
    gateway.call('POST', `/api/v1/admin/gateway/lost-processes/${id}/resolve`, { how: 'spent', reason: 'no answer' });
  const lost = () => gateway.must<{ items: { id: string }[] }>('GET', '/api/v1/admin/gateway/lost-processes');
  expect(await lost()).toEqual({ items: [] });
  const [process_] = await books.query('SELECT id FROM gateway_processes WHERE pid = $1', [slow.process.pid]);
  const id = process_?.['id'] as string;
  expect((await resolve(id)).status).toBe(404);

  await cutOff();
  await eventually(async () => (await lost()).items.some((item) => item.id === id));
  expect((await resolve(id)).status).toBe(200);
  slow.process.kill('SIGCONT');
  for (const request of fake.requests.filter(({ paused }) => paused)) request.resume();
  expect(await Promise.all(calls)).toEqual([200, 200, 200, 200]);
  await eventually(async () => (await call(slow, CALL_KINDS[0] as CallKind, 'fake-n3')) === 503);
  await everyCallIsBilledOnce();

  const windows = await eventually(
    () => books.query(`SELECT spent, leased, written_off, uncovered FROM budget_windows WHERE metric = 'cost'`),
    (all) => all.every(({ leased }) => leased === '0'),
    20_000,
  );
  const billed = costNanosOf(fake.tally().tokens);
  for (const { spent, written_off, uncovered } of windows)
    expect([BigInt(spent as string) - BigInt(written_off as string), uncovered]).toEqual([billed, '0']);
  expect(await endOf(slow.process.pid)).toBe('resolved');
}, 120_000);
