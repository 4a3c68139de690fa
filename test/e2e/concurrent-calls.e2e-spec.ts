import { RateLimitError } from 'openai';
import { createDepartment, eventually, fakeProviders, offerFakeModels } from '../support/department';
import { readExposition } from '../support/exposition';
import { FakeProvider } from '../support/fake-provider';
import { openRaw, requestText } from '../support/fake-provider/raw-client';
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

test('a call that leaves while it waits for another to end is not kept in the queue until then', async () => {
  const { id, token } = await createDepartment(first);
  await first.must('PUT', `/api/v1/admin/tenants/${id}/limits`, { concurrentRequests: 1 });
  const patient = await Gateway.start({
    providers: fakeProviders(fake),
    config: { budgets: { waitMs: 60_000 } },
    place: first.place,
  });
  try {
    const underWay = await openStream(patient.url, token, fake);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ model: 'fake-n3', messages: [{ role: 'user', content: 'Hello!' }] });
    const waiting = await openRaw(`${patient.url}/v1/chat/completions`, headers, body);
    // It has arrived when a request sent after it is answered.
    await patient.call('GET', '/healthz');
    waiting.destroy();
    // What becomes of a call whose client is gone when its body is read, which is after its wait.
    await eventually(async () => {
      const samples = readExposition((await patient.call('GET', '/metrics')).text);
      return samples.some(
        ({ name, labels }) => name === 'openclawmu_refusals_total' && labels['reason'] === 'body_malformed',
      );
    });
    expect(underWay.upstream.outcome).toBe('open');
    underWay.upstream.resume();
    expect((await underWay.ended).status).toBe(200);
    await eventually(async () => (await call(patient, token)) === null);
    expect(fake.requests.some(({ model }) => model === 'fake-n3')).toBe(false);
  } finally {
    await patient.stop();
  }
}, 90_000);

test('calls that wait for their turn on one connection end with it, and give their slots back', async () => {
  const { id, token } = await createDepartment(first);
  await first.must('PUT', `/api/v1/admin/tenants/${id}/limits`, { concurrentRequests: 2 });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const bodyOf = (model: string): string =>
    JSON.stringify({ model, stream: true, max_tokens: 50, messages: [{ role: 'user', content: 'Hello!' }] });
  const [front, behind] = ['fake-n4-h2-i101', 'fake-n4-h2-i102'];
  const socket = await openRaw(`${first.url}/v1/chat/completions`, headers, bodyOf(front));
  const upstream = [await fake.waitForRequest(front)];
  socket.write(requestText(`${first.url}/v1/chat/completions`, headers, bodyOf(behind)));
  upstream.push(await fake.waitForRequest(behind));
  socket.destroy();
  await eventually(() => Promise.resolve(upstream.every(({ outcome }) => outcome === 'aborted')));
  await eventually(async () => {
    const under = await openStream(first.url, token, fake);
    const refusal = await call(first, token);
    under.leave();
    return refusal === null;
  });
}, 90_000);
