import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expectAllBooked } from '../support/all-booked';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { createPlace, Gateway, type Place } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';
import { KillablePostgres } from '../support/proof/killable-postgres';

/** PostgreSQL is away for long while departments go on calling. `FAULTS_AWAY_MS=60000` for a minute of it. */

const AWAY_MS = Number(process.env['FAULTS_AWAY_MS'] ?? 8_000);
const CALLERS = 12;

let postgres: KillablePostgres;
let place: Place;
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;

beforeAll(async () => {
  postgres = await KillablePostgres.start();
  place = await createPlace(postgres.database);
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ place, providers: fakeProviders(fake) });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '40.00' });
}, 120_000);
afterAll(async () => {
  await gateway.remove();
  await fake.close();
  await postgres.remove();
  await rm(place.folder, { recursive: true, force: true });
  await expectNothingLeft(place.folder);
});

interface Answer {
  readonly status: number;
  readonly code?: string;
}

const call = (index: number): Promise<Answer> =>
  callModel(gateway.url, department.token, CALL_KINDS[index % CALL_KINDS.length] as CallKind, 'fake-n4-g10-o800').then(
    () => ({ status: 200 }),
    (error: { status: number; error?: { gateway_code?: string; error?: { gateway_code?: string } } }) => ({
      status: error.status,
      code: error.error?.gateway_code ?? error.error?.error?.gateway_code,
    }),
  );

test('calls go on inside what is leased, then they are refused, and afterwards all of them are billed', async () => {
  const answers: Answer[] = [];
  let phase: 'before' | 'away' | 'over' = 'before';
  const callers = Array.from({ length: CALLERS }, async (_, index) => {
    while (phase !== 'over') {
      const begun = phase;
      const answer = await call(index);
      if (begun === 'away' && phase === 'away') answers.push(answer);
      if (answer.status !== 200) await delay(50);
    }
  });
  await delay(1_500);
  await postgres.kill();
  phase = 'away';
  await delay(AWAY_MS);
  const during = answers.splice(0);
  expect((await gateway.call('GET', '/healthz', undefined, '')).status).toBe(200);
  await postgres.comeBack();
  await eventually(async () => (await call(0)).status === 200, Boolean, 30_000);
  phase = 'over';
  await Promise.all(callers);

  const served = during.filter(({ status }) => status === 200).length;
  const refused = during.filter(({ status }) => status !== 200);
  expect(served).toBeGreaterThan(0);
  expect(refused.length).toBeGreaterThan(0);
  expect(new Set(refused.map(({ status, code }) => `${status} ${code}`))).toEqual(
    new Set(['503 database_unavailable']),
  );
  const told = gateway.logs.split('\n').filter((line) => line.includes('"request failed"'));
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThan(refused.length / 4);

  await expectAllBooked(place.database, [department], fake);
  // It is the same database as before, and nothing of it is missing.
  expect((await gateway.call('GET', '/readyz', undefined, '')).status).toBe(200);
}, 180_000);
