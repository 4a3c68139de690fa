import { once } from 'node:events';
import { Books } from '../support/books';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { Gateway } from '../support/gateway';
import { openStream } from '../support/open-stream';
import { dial } from '../support/wire';

/** SIGTERM: what is under way is finished and settled, and nothing is left behind. */
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;

const start = async (drainMs: number) => {
  gateway = await Gateway.start({ providers: fakeProviders(fake), config: { server: { port: 0, drainMs } } });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '100.00' });
};
const exit = () => once(gateway.process, 'exit').then(([code]) => code as number | null);
const terminate = () => process.kill(gateway.process.pid as number, 'SIGTERM');
const draining = () => eventually(() => gateway.logs.includes('draining'));

beforeAll(async () => {
  fake = await FakeProvider.start();
});
afterEach(() => gateway.remove());
afterAll(() => fake.close());

test('open streams finish and are settled, newcomers are sent elsewhere, and the process ends with 0', async () => {
  await start(20_000);
  const streams = [
    await openStream(gateway.url, department.token, fake),
    await openStream(gateway.url, department.token, fake),
  ];
  const code = exit();
  terminate();
  await draining();

  const refused = await gateway.call(
    'POST',
    '/v1/chat/completions',
    { model: 'fake-n1', messages: [{ role: 'user', content: 'Hello!' }] },
    department.token,
  );
  expect([refused.status, refused.body['error']]).toEqual([503, expect.objectContaining({ gateway_code: 'draining' })]);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(refused.headers.get('connection')).toBe('close');
  const ready = await gateway.call('GET', '/readyz', undefined, '');
  expect([ready.status, ready.body['code']]).toEqual([503, 'draining']);
  expect((await gateway.call('GET', '/healthz', undefined, '')).status).toBe(200);

  for (const { upstream } of streams) upstream.resume();
  for (const { ended } of streams) expect((await ended).text).toContain('[DONE]');
  expect(await code).toBe(0);
  const completed = { status: 'actual', outcome: 'completed' };
  expect(await settled()).toEqual([completed, completed]);
});

test('a second signal cuts the streams, and what was seen of them is billed', async () => {
  await start(60_000);
  const { ended, upstream } = await openStream(gateway.url, department.token, fake);
  const code = exit();
  terminate();
  await draining();
  terminate();
  const { text } = await ended;
  expect(text).toContain('"gateway_code":"draining"');
  expect(text).not.toContain('[DONE]');
  expect(await code).toBe(0);
  await fake.waitFor(() => upstream.outcome === 'aborted');
  expect(await settled()).toEqual([{ status: 'estimated', outcome: 'aborted' }]);
});

test('drainMs bounds the wait', async () => {
  await start(300);
  const { ended } = await openStream(gateway.url, department.token, fake);
  const code = exit();
  terminate();
  expect((await ended).text).toContain('"gateway_code":"draining"');
  expect(await code).toBe(0);
  expect(await settled()).toEqual([{ status: 'estimated', outcome: 'aborted' }]);
});

test('connections on which nothing happens, or only half a request, hold nobody up', async () => {
  await start(60_000);
  const idle = await dial(gateway.url);
  const half = await dial(gateway.url);
  half.write('GET /healthz HTTP/1.1\r\nHost: gateway\r\n');
  const slow = await dial(gateway.url);
  slow.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${department.token}\r\n` +
      'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"model":',
  );
  // All three have arrived when a request sent after them is answered.
  await gateway.call('GET', '/healthz', undefined, '');
  const code = exit();
  terminate();
  expect(await code).toBe(0);
  for (const socket of [idle, half, slow]) socket.destroy();
});

test('Ctrl-C is as good as a signal of a service manager', async () => {
  await start(20_000);
  const code = exit();
  process.kill(gateway.process.pid as number, 'SIGINT');
  expect(await code).toBe(0);
  // What a process has written may be read after it is gone.
  await eventually(() => /"signal":"SIGINT","msg":"stopped"}\n$/.test(gateway.logs));
});

/** What the database holds once the process is gone. */
async function settled() {
  const books = await Books.open(gateway.place.database);
  try {
    for (const { spent, ledger, leased } of await books.balances()) expect([spent, leased]).toEqual([ledger, 0n]);
    expect(await books.query('SELECT * FROM leases')).toEqual([]);
    expect(await books.query('SELECT ended_how FROM gateway_processes')).toEqual([{ ended_how: 'drained' }]);
    return (await books.calls(department.id)).map(({ status, outcome }) => ({ status, outcome }));
  } finally {
    await books.close();
  }
}
