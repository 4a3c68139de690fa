import { Books, type Balance, type BookedCall } from '../support/books';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { openRaw } from '../support/fake-provider/raw-client';
import { Gateway } from '../support/gateway';
import { CALL_KINDS, callModel } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/** Holds equal the ledger: whatever became of the calls, what windows say is the sum of what they are made of. */

let fake: FakeProvider;
let gateway: Gateway;
let books: Books;
let departments: Department[];
/** The others may use what they like, and have no windows. */
let limited: Department[];

const OTHER_METERS = [
  ['cost', 'day'],
  ['tokens', 'day'],
  ['tokens', 'month'],
] as const;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake, { firstByteMs: 8_000, idleMs: 8_000 }) });
  await offerFakeModels(gateway);
  books = await Books.open(gateway.place.database);
  departments = [
    await createDepartment(gateway, { budget: '100.00' }),
    await createDepartment(gateway, { budget: '0.10' }),
    await createDepartment(gateway),
  ];
  limited = departments.slice(0, 2);
  for (const { id } of limited)
    for (const [metric, period] of OTHER_METERS) {
      const budget = { metric, period, limit: '1000000000' };
      await gateway.must('PUT', `/api/v1/admin/tenants/${id}/budgets`, budget);
    }
});
afterAll(async () => {
  await books.close();
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});

/** All that can become of a call. */
const FATES = [
  'fake-n4',
  'fake-n4-g5-c20-r2',
  'fake-n6-u',
  'fake-n3-liehuge',
  'fake-n9-x3',
  'fake-n9-t3',
  'fake-n9-h3',
  'fake-silent',
  'fake-nohead',
  'fake-e400',
  'fake-e429',
  'fake-e500',
];

const inBalance = ({ spent, ledger, leased, leases }: Balance): boolean => spent === ledger && leased === leases;

test('during and after calls that succeed, fail, break off, lie, are refused and are left', async () => {
  const calls = departments.flatMap(({ token }) =>
    FATES.flatMap((model) =>
      CALL_KINDS.map((kind) => callModel(gateway.url, token, kind, model).catch(() => undefined)),
    ),
  );
  const leavers = departments.map(async ({ token }) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = { model: 'fake-n300-g10', stream: true, max_tokens: 300, messages: [] };
    const socket = await openRaw(`${gateway.url}/v1/chat/completions`, headers, JSON.stringify(body));
    await new Promise((later) => setTimeout(later, 300));
    socket.destroy();
  });
  let running = true;
  let samples = 0;
  const watching = (async () => {
    for (; running; samples++) expect((await books.balances()).filter((balance) => !inBalance(balance))).toEqual([]);
  })();
  await Promise.all([...calls, ...leavers]);
  await fake.waitFor((provider) => provider.tally().open === 0);
  running = false;
  await watching;
  expect(samples).toBeGreaterThan(0);

  // Every call that the provider took on is booked, each of them once.
  const { calls: taken } = fake.tally();
  const booked = async () => {
    const rows: BookedCall[] = [];
    for (const { id } of departments) rows.push(...(await books.calls(id)));
    return rows;
  };
  const rows = await eventually(booked, ({ length }) => length >= taken);
  expect(rows).toHaveLength(taken);
  expect(new Set(rows.map(({ status }) => status))).toEqual(
    new Set(['actual', 'estimated', 'unconfirmed', 'quarantined']),
  );

  const balances = await books.balances();
  expect(balances.length).toBe(limited.length * (1 + OTHER_METERS.length));
  expect(balances.filter((balance) => !inBalance(balance))).toEqual([]);
  for (const { limit, spent } of await books.windows(departments[1]?.id as string))
    if (limit !== null) expect(spent).toBeLessThanOrEqual(limit);
}, 90_000);

test('and when the gateway has drained, nothing is leased and no process is owed anything', async () => {
  expect(await gateway.stop()).toBe(0);
  const balances = await books.balances();
  expect(balances.filter((balance) => !inBalance(balance))).toEqual([]);
  expect(balances.map(({ leased }) => leased)).toEqual(balances.map(() => 0n));
  expect(await books.query('SELECT * FROM leases WHERE amount > 0')).toEqual([]);
  expect(await books.query('SELECT ended_how FROM gateway_processes')).toEqual([{ ended_how: 'drained' }]);
});
