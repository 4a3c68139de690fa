import { expectTrailEqualsTable, verifyOffline } from '../support/audit-trail';
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
import { Gateway } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/** `kill -9` in the middle of everything, and again: nothing lost, nothing twice, nothing held for ever. */

const STREAMS = 50;
const PLAIN = 10;
/** How many pieces the provider has generated when the gateway dies: hardly begun, under way, nearly done. */
/** Milliseconds between pieces, so that at any moment some calls are beginning and others ending. */
const PACES = [1, 5, 10, 20, 40];
const PHASES = [20, 600, 1_500, 2_600];

let fake: FakeProvider;
let gateway: Gateway;
let books: Books;
let department: Department;
/** Models of calls whose whole answer a client has read: their settlement was durable before the last byte. */
const read = new Set<string>();
let made = 0;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await start();
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '20.00' });
  const tokens = { metric: 'tokens', period: 'month', limit: '1000000000' };
  await gateway.must('PUT', `/api/v1/admin/tenants/${department.id}/budgets`, tokens);
  books = await Books.open(gateway.place.database);
});
afterAll(async () => {
  await books.close();
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});

const start = (place?: Gateway['place']): Promise<Gateway> =>
  Gateway.start({
    providers: fakeProviders(fake),
    config: { audit: { checkpointMs: 50 } },
    ...(place && { place }),
  });

/** Every call has a name of its own, by which the provider's record and the ledger's row find each other. */
const nameOf = (pace: string): string => `fake-n60-${pace}-i${100 + made++}`;

async function call(kind: CallKind, pace: number): Promise<void> {
  const model = nameOf(kind.stream ? `g${pace}` : `l${pace * 25}`);
  try {
    await callModel(gateway.url, department.token, kind, model);
    read.add(kind.dialect === 'openai' ? model : `claude/${model}`);
  } catch {
    // It died under the call.
  }
}

/** Changes that are recorded while the gateway dies. */
async function keepChanging(): Promise<void> {
  const path = `/api/v1/admin/tenants/${department.id}`;
  for (let n = 0; ; n++)
    try {
      await gateway.must('PATCH', path, { name: `Department of ${n} names` });
    } catch {
      return;
    }
}

test.each(PHASES)(
  'killed when the provider had generated %i pieces',
  async (pieces) => {
    const already = fake.requests.reduce((total, request) => total + request.pieces, 0);
    const generated = (): number => fake.requests.reduce((total, request) => total + request.pieces, 0) - already;
    const streams = CALL_KINDS.filter(({ stream }) => stream);
    const plain = CALL_KINDS.filter(({ stream }) => !stream);
    const calls = [
      ...Array.from({ length: STREAMS }, (_, n) => call(streams[n % 2] as CallKind, PACES[n % 5] as number)),
      ...Array.from({ length: PLAIN }, (_, n) => call(plain[n % 2] as CallKind, PACES[n % 5] as number)),
    ];
    const changing = keepChanging();
    await fake.waitFor(() => generated() >= pieces);
    await gateway.kill();
    await Promise.all([...calls, changing]);
    await fake.waitFor((provider) => provider.tally().open === 0);

    gateway = await start(gateway.place);
    // No phantom 429, and no wait: the first call after the start is served.
    await callModel(gateway.url, department.token, CALL_KINDS[0] as CallKind, nameOf('g1'));
    await everyCallIsBookedOnce();
    await theBooksAgree();
    await theAuditLogIsWhole();
  },
  120_000,
);

async function everyCallIsBookedOnce(): Promise<void> {
  const received = fake.requests.filter(({ method }) => method === 'POST');
  const rows = await eventually(
    () => books.calls(department.id),
    (all) => received.every((request) => all.some(({ model }) => model === request.model)),
  );
  const models = rows.map(({ model }) => model);
  expect(models.filter((model, index) => models.indexOf(model) !== index)).toEqual([]);
  for (const request of received) {
    const row = rows.find(({ model }) => model === request.model);
    const charged = costNanosOf(request.charged);
    if (read.has(request.model)) expect(row).toMatchObject({ status: 'actual', costNanos: charged });
    else {
      expect(row?.status).toMatch(/^(actual|estimated|unconfirmed)$/);
      // What nobody could confirm is booked at its worst case: never less than what the provider charges.
      expect(row?.costNanos).toBeGreaterThanOrEqual(charged);
    }
  }
}

async function theBooksAgree(): Promise<void> {
  const total = sum((await books.calls(department.id)).map(({ costNanos }) => costNanos));
  // The new process may keep headroom at hand for a few seconds; what it does not need goes back.
  const balances = await eventually(
    () => books.balances(),
    (all) => all.every(({ leased }) => leased === 0n),
    20_000,
  );
  expect(new Set(balances.map(({ metric }) => metric))).toEqual(new Set(['cost', 'tokens']));
  for (const { metric, spent, ledger, leases } of balances) {
    expect({ spent, leases }).toEqual({ spent: ledger, leases: 0n });
    if (metric === 'cost') expect(spent).toBe(total);
  }
  const { items } = await gateway.must<{ items: { held: string }[] }>(
    'GET',
    '/api/v1/tenant/budgets',
    undefined,
    department.token,
  );
  expect(items.map(({ held }) => held)).toEqual(['0.00', '0.00', '0', '0']);
  const ends = await books.query('SELECT ended_how FROM gateway_processes ORDER BY started_at');
  expect(ends.map(({ ended_how: how }) => how)).toEqual([...Array<string>(ends.length - 1).fill('recovered'), null]);
}

async function theAuditLogIsWhole(): Promise<void> {
  expect(await gateway.must('GET', '/api/v1/admin/audit/verification')).toMatchObject({ ok: true, fault: null });
  await expectTrailEqualsTable(gateway.place, books);
  expect(await verifyOffline(gateway.place)).toMatchObject({ ok: true, fault: null, signatures: 'verified' });
}
