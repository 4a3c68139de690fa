import { expectAllBooked } from '../support/all-booked';
import { DatabaseNetwork } from '../support/database-network';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { createPlace, Gateway, type Place } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/** The network between the gateway and PostgreSQL forgets the connections that stand, as a firewall does that is started anew. */

let network: DatabaseNetwork;
let place: Place;
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;

beforeAll(async () => {
  place = await createPlace();
  network = await DatabaseNetwork.before(place.database.gatewayUrl);
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ place, providers: fakeProviders(fake), env: { DATABASE_URL: network.url } });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '20.00' });
});
afterAll(async () => {
  await gateway.remove();
  await network.close();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});

const call = (index: number): Promise<number> =>
  callModel(gateway.url, department.token, CALL_KINDS[index % CALL_KINDS.length] as CallKind, 'fake-n3-o800').then(
    () => 200,
    ({ status }: { status: number }) => status,
  );

test('a gateway that waits for answers which never come finds out, tells callers, and books everything by itself', async () => {
  expect(await Promise.all([0, 1, 2, 3].map(call))).toEqual([200, 200, 200, 200]);
  network.forget();
  // Until what is leased is used up they are served; then each is answered one way or the other.
  const answers = await Promise.all(Array.from({ length: 24 }, (_, index) => call(index)));
  expect(answers.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  await eventually(async () => (await call(0)) === 200);

  await expectAllBooked(place.database, [department], fake);
}, 60_000);
