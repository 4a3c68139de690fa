import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { stringify } from 'yaml';
import { asSuperuser } from '../support/database';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider, PROVIDER_KEY } from '../support/fake-provider';
import { createPlace, Gateway, type Place } from '../support/gateway';
import { runGateway } from '../support/gateway-run';

let fake: FakeProvider;
let gateway: Gateway;
let department: Department;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake) });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '100.00' });
});
afterAll(async () => {
  await gateway.remove();
  await fake.close();
});

const chat = (model: string) =>
  gateway.call(
    'POST',
    '/v1/chat/completions',
    { model, max_tokens: 10, messages: [{ role: 'user', content: 'Hello!' }] },
    department.token,
  );
const ready = () => gateway.call('GET', '/readyz', undefined, '');

describe('health', () => {
  test('needs no key and names nothing', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await gateway.call('GET', path, undefined, '');
      expect([answer.status, answer.body]).toEqual([200, { status: 'ok' }]);
    }
  });

  test('without its database it is alive and not ready, logs the request it failed, and recovers by itself', async () => {
    // Whatever is told of probes, by whom it may be.
    const readiness = () =>
      lines().flatMap(({ msg, path, level }) =>
        path === '/readyz' || (level !== 'debug' && /ready/.test(msg as string)) ? [msg] : [],
      );
    await asSuperuser(`ALTER DATABASE ${gateway.place.database.name} CONNECTION LIMIT 0`);
    await asSuperuser(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${gateway.place.database.name}'`,
    );
    try {
      const answer = await eventually(ready, ({ status }) => status === 503);
      expect(answer.body).toMatchObject({ code: 'database_unavailable' });
      expect((await gateway.call('GET', '/healthz', undefined, '')).status).toBe(200);

      for (let probe = 0; probe < 3; probe++) expect((await ready()).status).toBe(503);

      const admin = await gateway.call('GET', '/api/v1/admin/tenants');
      expect([admin.status, admin.body['code']]).toEqual([503, 'database_unavailable']);
      const requestId = admin.headers.get('x-request-id');
      await eventually(() => lines().some((line) => line['requestId'] === requestId && line['level'] === 'error'));
    } finally {
      await asSuperuser(`ALTER DATABASE ${gateway.place.database.name} CONNECTION LIMIT -1`);
    }
    await eventually(ready, ({ status }) => status === 200);
    expect((await chat('fake-n1')).status).toBe(200);
    await eventually(() => readiness().includes('ready again'));
    expect(readiness()).toEqual(['not ready: this process takes no work', 'ready again']);
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('without a writable journal it takes no work and is not ready, until it can write again', async () => {
    // As a full disk would: every write to a file fails.
    const limitFiles = (soft: string) =>
      execFileSync('prlimit', [`--pid=${gateway.process.pid}`, `--fsize=${soft}:unlimited`]);
    limitFiles('0');
    try {
      const refused = await eventually(
        () => chat('fake-n1'),
        ({ status }) => status === 503,
      );
      expect(refused.body).toMatchObject({ error: { gateway_code: 'journal_unavailable' } });
      const answer = await ready();
      expect([answer.status, answer.body['code']]).toEqual([503, 'journal_unavailable']);
      expect(answer.text).not.toContain(gateway.place.folder);
    } finally {
      limitFiles('unlimited');
    }
    await eventually(ready, ({ status }) => status === 200);
    expect((await chat('fake-n1')).status).toBe(200);
  });
});

describe('metrics', () => {
  test('open to an admin key only', async () => {
    expect((await gateway.call('GET', '/metrics', undefined, '')).status).toBe(401);
    expect((await gateway.call('GET', '/metrics', undefined, department.token)).status).toBe(403);
    expect((await gateway.call('GET', '/metrics')).status).toBe(200);
  });

  test("are Prometheus text, the gateway's own and the process's", async () => {
    await chat('fake-n1');
    const answer = await gateway.call('GET', '/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const samples = parseMetrics(answer.text);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(samples.get('openclawmu_active_calls')).toBe(0);
    expect(
      samples.get('openclawmu_calls_total{dialect="openai",provider="fake-openai",outcome="completed"}'),
    ).toBeGreaterThan(0);
    // Budgets are told by tenant, and only to admins; keys are told to nobody.
    expect(answer.text).not.toContain(department.token);
  });
});

describe('logs', () => {
  test('are one JSON object a line, with time and level', async () => {
    await chat('fake-n1');
    const all = lines();
    expect(all.length).toBeGreaterThan(0);
    for (const line of all) {
      expect(Number.isNaN(Date.parse(line['time'] as string))).toBe(false);
      expect(['debug', 'info', 'warn', 'error']).toContain(line['level']);
    }
  });

  test('hold no secret, at debug and with everything going wrong', async () => {
    const { keys, database } = gateway.place;
    for (const model of ['fake-n3', 'fake-e401', 'fake-e500', 'fake-nohead', 'fake-html', 'nothing']) await chat(model);
    for (const path of ['/api/v1/admin/tenants', '/api/v1/admin/nothing', `/api/v1/admin/tenants/${keys.finance}`])
      await gateway.call('GET', path, undefined, keys.finance);
    await gateway.call('POST', '/api/v1/admin/tokens/revoke', { token: department.token.replace(/.$/, 'x') });
    await gateway.call('GET', `/v1/models/${department.token}`, undefined, department.token);
    process.kill(gateway.process.pid as number, 'SIGHUP');
    await eventually(() => gateway.logs.includes('the configuration was reloaded'));

    const passwords = [database.gatewayUrl, database.ownerUrl].map((url) => new URL(url).password);
    const secrets = [...Object.values(keys), department.token, PROVIDER_KEY, ...passwords];
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(8);
      expect(gateway.logs.includes(secret)).toBe(false);
    }
  });

  test('tell of what somebody has to look at, and not of callers who ask for what is not here', async () => {
    const refused = [
      await chat('gpt-4o'),
      await gateway.call('GET', '/v1/files', undefined, department.token),
      await gateway.call('POST', '/v1/images/generations', {}, department.token),
    ];
    expect(refused.map(({ status }) => status)).toEqual([503, 501, 501]);
    const idOf = ({ body }: { body: Record<string, unknown> }) => body['request_id'];
    const failed = idOf(await chat('fake-nohead'));
    const told = () => lines().flatMap(({ level, requestId }) => (level === 'error' ? [requestId] : []));
    await eventually(() => told().includes(failed));
    const line = lines().find(({ requestId }) => requestId === failed);
    expect(line).toMatchObject({ provider: 'fake-openai', model: 'fake-nohead' });
    for (const answer of refused) expect(told()).not.toContain(idOf(answer));
  });

  test('every answer names its request, and no two the same', async () => {
    const answers = [
      await gateway.call('GET', '/healthz', undefined, ''),
      await gateway.call('GET', '/nothing', undefined, ''),
      await gateway.call('GET', '/api/v1/admin/tenants'),
      await gateway.call('GET', '/v1/models', undefined, department.token),
      await chat('fake-n1'),
      await chat('nothing'),
    ];
    const ids = answers.map(({ headers }) => headers.get('x-request-id'));
    expect(ids).not.toContain(null);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('a start that cannot be', () => {
  let place: Place;
  const urls = () => ({ DATABASE_URL: place.database.gatewayUrl, DATABASE_MIGRATION_URL: place.database.ownerUrl });
  const start = async (config: unknown, env: Record<string, string> = urls()) => {
    await writeFile(join(place.folder, 'openclawmu.yaml'), typeof config === 'string' ? config : stringify(config));
    return runGateway(place.folder, env);
  };

  beforeEach(async () => {
    place = await createPlace();
  });
  afterEach(async () => {
    await place.database.drop();
    await rm(place.folder, { recursive: true, force: true });
  });

  test('for its configuration names every problem at once and exits with 78', async () => {
    const { code, stderr, stdout } = await start(
      { server: { port: 'many' }, budgets: { enforce: false }, providers: { own: { dialect: 'cobol' } }, speed: 1 },
      { ...urls(), OPENCLAWMU_PROT: '1' },
    );
    expect(code).toBe(78);
    for (const name of ['server.port', 'budgets', 'providers.own.dialect', 'speed', 'OPENCLAWMU_PROT'])
      expect(stderr).toContain(name);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'because its port is taken',
      async () => {
        const other = createServer().listen(0, '127.0.0.1');
        await once(other, 'listening');
        other.unref();
        return { server: { port: (other.address() as AddressInfo).port } };
      },
      /127\.0\.0\.1:\d+: the port is taken/,
    ],
    [
      'because its address is not of this machine',
      () => Promise.resolve({ server: { host: '192.0.2.1', port: 0 } }),
      /192\.0\.2\.1/,
    ],
    [
      'because its data directory cannot be made',
      async () => {
        await writeFile(join(place.folder, 'file'), '');
        return { server: { port: 0 }, dataDir: './file/data' };
      },
      /file\/data/,
    ],
    [
      'because a folder stands where a file of its belongs',
      async () => {
        await mkdir(join(place.folder, 'data/audit'), { recursive: true });
        await writeFile(join(place.folder, 'data/journal'), '');
        return { server: { port: 0 } };
      },
      /data\/journal/,
    ],
  ])('%s says so in one paragraph and exits with 1', async (_, prepare, reason) => {
    const { code, stderr } = await start(await prepare());
    expect(stderr).toMatch(reason);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(3);
    expect(code).toBe(1);
  });

  test.each([
    ['nobody listens there', 'postgres://gateway:hunter2secret@127.0.0.1:1/openclawmu'],
    ['the password is wrong', null],
  ])('because %s says so without the password and exits with 1', async (_, url) => {
    const wrong = new URL(place.database.gatewayUrl);
    wrong.password = 'hunter2secret';
    const { code, stderr } = await start({ server: { port: 0 } }, { DATABASE_URL: url ?? wrong.href });
    expect(stderr).toMatch(/database/i);
    expect(stderr).not.toContain('hunter2secret');
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(3);
    expect(code).toBe(1);
  });

  test('because the database ends while its schema is brought up to date says so and exits with 1', async () => {
    const other = new Client({ connectionString: place.database.superuserUrl });
    await other.connect();
    try {
      await other.query('SELECT pg_advisory_lock($1)', [0x6f636d75]);
      const started = start({ server: { port: 0 } });
      const terminate =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
      await eventually(async () => (await other.query(terminate)).rowCount === 1);
      const { code, stderr } = await started;
      expect(stderr).toMatch(/^The database broke off .*terminating connection.* start the gateway again/);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(1);
    } finally {
      await other.end();
    }
  });
});

/** The log without the banner, which is for people and indented by two. */
function lines(): Record<string, unknown>[] {
  return gateway.logs
    .split('\n')
    .filter((line) => line !== '' && !/^ {2}\S/.test(line))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Text exposition format 0.0.4: name and labels of every sample with its value. Throws on a line that is none. */
function parseMetrics(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-zA-Z_:][\w:]* /.test(line)) continue;
    const sample = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)+\})?) (\S+)$/.exec(line);
    const value = Number(sample?.[2]?.replace('+Inf', 'Infinity'));
    // The means of the process's own metrics are not numbers while there is nothing to take them of.
    if (!sample?.[1] || (Number.isNaN(value) && sample[2] !== 'Nan')) throw new Error(`no Prometheus sample: ${line}`);
    samples.set(sample[1], value);
  }
  return samples;
}
