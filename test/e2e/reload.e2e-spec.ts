import { randomBytes } from 'node:crypto';
import { createDepartment, eventually, fakeProviders, type Department } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { type Gateway, hashOf } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';
import { openStream } from '../support/open-stream';

/** SIGHUP: the configuration changes under a running gateway, or stays as it was. */
let world: GatewayWorld;
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;

beforeAll(async () => {
  world = await GatewayWorld.open();
  ({ fake, gateway } = world);
  department = await createDepartment(gateway, { budget: '100.00' });
});
afterAll(() => world.close());

interface Reload {
  readonly action: string;
  readonly reason?: string;
  readonly after?: { readonly changed: string[] };
}

/** Reloads there were, newest first; the audit trail tells when one is done. */
async function reloads(): Promise<readonly Reload[]> {
  const { items } = await gateway.must<{ items: Reload[] }>('GET', '/api/v1/admin/audit?actor=SIGHUP&limit=200');
  return items;
}

async function hangUp(): Promise<Reload | undefined> {
  const before = (await reloads()).length;
  process.kill(gateway.process.pid as number, 'SIGHUP');
  return (await eventually(reloads, ({ length }) => length > before))[0];
}

const reload = async (change: Record<string, unknown>) => {
  await gateway.configure(change);
  return hangUp();
};

const ask = () =>
  gateway.call(
    'POST',
    '/v1/chat/completions',
    { model: 'fake-n1', messages: [{ role: 'user', content: 'Hello!' }] },
    department.token,
  );

test('a new admin key works at once, and one taken out no longer does', async () => {
  const { keys } = gateway.place;
  const second = `ak_second_${randomBytes(16).toString('hex')}`;
  const root = { name: 'root', role: 'admin', hash: hashOf(keys.admin) };
  expect((await gateway.call('GET', '/api/v1/admin/tenants', undefined, second)).status).toBe(401);

  const record = await reload({ adminKeys: [root, { name: 'second', role: 'admin', hash: hashOf(second) }] });
  expect(record?.after?.changed.sort()).toEqual(['adminKeys.controller', 'adminKeys.guard', 'adminKeys.second']);
  expect(gateway.logs).toContain('"adminKeys.second"');
  expect((await gateway.call('GET', '/api/v1/admin/tenants', undefined, second)).status).toBe(200);
  expect((await gateway.call('GET', '/api/v1/admin/tenants', undefined, keys.finance)).status).toBe(401);

  await reload({ adminKeys: [root] });
  expect((await gateway.call('GET', '/api/v1/admin/tenants', undefined, second)).status).toBe(401);
});

test('a changed provider gets the next call, and the stream in flight goes on where it was', async () => {
  const other = await FakeProvider.start({ apiKey: 'sk-another-key-of-the-company' });
  const stream = await openStream(gateway.url, department.token, fake);
  try {
    await reload({ providers: fakeProviders(other) });
    expect((await ask()).status).toBe(200);
    expect(other.requests).toHaveLength(1);

    stream.upstream.resume();
    const { status, text } = await stream.ended;
    expect([status, text.includes('[DONE]'), text.includes('"error"')]).toEqual([200, true, false]);
    expect(stream.upstream.outcome).toBe('completed');
  } finally {
    await reload({ providers: fakeProviders(fake) });
    await other.close();
  }
});

test('a rotated provider key is used for the next call', async () => {
  const renewed = await FakeProvider.start({ apiKey: 'sk-renewed-key-of-the-company' });
  try {
    const stale = fakeProviders(renewed) as Record<string, { apiKey: string }>;
    await reload({ providers: withKey(stale, 'sk-key-that-was-revoked-today') });
    expect((await ask()).status).toBe(502);
    await reload({ providers: withKey(stale, renewed.apiKey) });
    expect((await ask()).status).toBe(200);
  } finally {
    await reload({ providers: fakeProviders(fake) });
    await renewed.close();
  }
});

test('a changed log level counts for the next line', async () => {
  await reload({ logging: { level: 'error' } });
  const quiet = gateway.logs.length;
  await reload({ logging: { level: 'error' } });
  expect(gateway.logs.slice(quiet)).not.toContain('was reloaded');
  await reload({ logging: { level: 'info' } });
  await eventually(() => gateway.logs.slice(quiet).includes('was reloaded'));
});

test('a changed limit counts for the next request', async () => {
  const long = { model: 'fake-n1', messages: [{ role: 'user', content: 'x'.repeat(4_000) }] };
  const send = () => gateway.call('POST', '/v1/chat/completions', long, department.token);
  await reload({ server: { port: 0, bodyLimitBytes: 2_048 } });
  expect((await send()).status).toBe(413);
  await reload({ server: { port: 0 } });
  expect((await send()).status).toBe(200);
});

describe('a configuration that is refused', () => {
  afterEach(() => reload({}));

  test('keeps the old one in force, is logged with every problem, and is audited', async () => {
    await gateway.writeConfig('server: { port: many }\nspeed: 1\nadminKeys: []\n');
    const record = await hangUp();
    expect(record).toMatchObject({ action: 'config.rejected' });
    for (const problem of ['server.port', 'speed']) {
      expect(record?.reason).toContain(problem);
      expect(gateway.logs).toContain(problem);
    }
    expect((await gateway.call('GET', '/api/v1/admin/tenants')).status).toBe(200);
    expect((await ask()).status).toBe(200);
  });

  test.each([
    ['is no YAML', 'adminKeys: [\n'],
    ['is empty of a variable it names', 'timezone: ${NOWHERE_SET}\n'],
    ['weakens enforcement', 'auth: { enabled: false }\n'],
  ])('because it %s changes nothing', async (_, text) => {
    await gateway.writeConfig(text);
    expect(await hangUp()).toMatchObject({ action: 'config.rejected' });
    expect((await ask()).status).toBe(200);
  });

  test.each([
    ['server.port', { server: { port: 1 } }],
    ['dataDir', { dataDir: './elsewhere' }],
    ['timezone', { timezone: 'Asia/Tokyo' }],
  ])('because %s is fixed while it runs takes nothing else of it either', async (setting, change) => {
    await gateway.configure({ ...change, adminKeys: [] });
    const record = await hangUp();
    expect(record).toMatchObject({ action: 'config.rejected' });
    expect(record?.reason).toContain(`${setting} cannot change`);
    await gateway.configure({ server: { port: 0 }, dataDir: './data', timezone: 'UTC', adminKeys: rootKey() });
  });

  test('holds no secret in its log line or its audit record', async () => {
    await gateway.writeConfig(`adminKeys: [{ name: root, hash: ${gateway.place.keys.admin} }]\n`);
    const record = await hangUp();
    expect(record?.reason).toContain('never the key itself');
    expect(JSON.stringify(record) + gateway.logs).not.toContain(gateway.place.keys.admin);
  });
});

const rootKey = () => [{ name: 'root', role: 'admin', hash: hashOf(gateway.place.keys.admin) }];

const withKey = (providers: Record<string, { apiKey: string }>, apiKey: string) =>
  Object.fromEntries(Object.entries(providers).map(([name, provider]) => [name, { ...provider, apiKey }]));
