import { RateLimitError } from 'openai';
import { createDepartment, eventually, fakeProviders, offerFakeModels } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { Gateway } from '../support/gateway';
import { callModel } from '../support/mixed-calls';
import { openStream } from '../support/open-stream';
import { expectNothingLeft } from '../support/processes';

/** Calls at the same time over two gateway processes on one database. */

let fake: FakeProvider;
let first: Gateway;
let second: Gateway;

beforeAll(async () => {
  const config = { budgets: { waitMs: 300 } };
  fake = await FakeProvider.start();
  first = await Gateway.start({ providers: fakeProviders(fake), config });
  second = await Gateway.start({ providers: fakeProviders(fake), config, place: first.place });
  await offerFakeModels(first);
});
afterAll(async () => {
  await second?.stop();
  await first.remove();
  await fake.close();
  await expectNothingLeft(first.place.folder);
});

const call = (gateway: Gateway, token: string): Promise<unknown> =>
  callModel(gateway.url, token, { dialect: 'openai', stream: false }, 'fake-n2').then(
    () => null,
    (error: unknown) => error,
  );

test('a call beyond the limit is refused, whichever process is asked, until one of those under way has ended', async () => {
  const { id, token } = await createDepartment(first);
  await first.must('PUT', `/api/v1/admin/tenants/${id}/limits`, { concurrentRequests: 2 });
  // Both processes know it before any call is under way that they would not have counted.
  for (const gateway of [first, second]) {
    await eventually(async () => {
      const held = [await openStream(gateway.url, token, fake), await openStream(gateway.url, token, fake)];
      const refusal = await call(gateway, token);
      for (const stream of held) stream.leave();
      return refusal !== null;
    });
    await eventually(async () => (await call(gateway, token)) === null);
  }

  const here = await openStream(first.url, token, fake);
  const there = await openStream(second.url, token, fake);
  const earlier = fake.tally().calls;
  for (const gateway of [first, second]) {
    const refusal = await call(gateway, token);
    expect(refusal).toBeInstanceOf(RateLimitError);
    expect(refusal).toMatchObject({ status: 429, error: { gateway_code: 'concurrency_exceeded', limit: 2 } });
  }
  expect(fake.tally().calls).toBe(earlier);

  there.leave();
  await eventually(async () => (await call(first, token)) === null);
  here.upstream.resume();
  expect((await here.ended).status).toBe(200);
  await eventually(async () => (await call(second, token)) === null);
}, 90_000);
