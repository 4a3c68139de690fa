import { createHash } from 'node:crypto';
import { Registry } from 'prom-client';
import { Client } from 'pg';
import { eventually } from '../../../../test/support/department';
import { type GatewayDatabase, openGatewayDatabase, silentLog } from '../../../../test/support/gateway-database';
import { jobPrincipals, tenantPrincipal } from '../../../../test/support/principals';
import { AnswerStore } from './answer-store.service';
import { CacheMetrics } from './cache-metrics';
import { CacheSweeper } from './cache-sweeper.service';

let db: GatewayDatabase;
let registry: Registry;
let store: AnswerStore;
const [alpha, beta] = [tenantPrincipal('alpha'), tenantPrincipal('beta')];

beforeAll(async () => {
  db = await openGatewayDatabase();
  await asSuperuser(`INSERT INTO tenants (id, name, status, settings, created_at, updated_at)
    SELECT id, id, 'active', '{}', now(), now() FROM unnest(ARRAY['alpha', 'beta']) id`);
});
afterAll(() => db.close());
beforeEach(async () => {
  registry = new Registry();
  store = new AnswerStore(db.database, new CacheMetrics(registry), silentLog);
  await asSuperuser('DELETE FROM cached_answers');
});

async function asSuperuser(sql: string, parameters: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: db.urls.superuserUrl, options: '-c search_path=openclawmu' });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}

const idOf = (text: string): Buffer => createHash('sha256').update(text).digest();
const keep = (text: string, { principal = alpha, seconds = 60, bytes = 10, maxTenantBytes = 1_000_000 } = {}): void =>
  void store.keep(principal, { id: idOf(text), seconds, maxTenantBytes, bytes, seal: () => Buffer.alloc(bytes, text) });
const kept = (): Promise<void> => store.onModuleDestroy();
const count = async (result: string): Promise<number> => {
  const { values } = (await registry.getSingleMetric('openclawmu_cache_total')?.get()) ?? { values: [] };
  return values.find(({ labels }) => labels['result'] === result)?.value ?? 0;
};

test('what is kept is found by its id, and a newer answer takes its place', async () => {
  keep('a');
  keep('b');
  await kept();
  expect(await store.find(alpha, idOf('a'), 60)).toEqual({ answer: Buffer.alloc(10, 'a'), ageSeconds: 0 });
  expect(await store.find(alpha, idOf('c'), 60)).toBeNull();
  keep('a', { bytes: 20 });
  await kept();
  expect((await store.find(alpha, idOf('a'), 60))?.answer).toHaveLength(20);
  expect(await count('stored')).toBe(3);
});

test('another tenant cannot read, replace or remove it, even with its id and with SQL of its own', async () => {
  keep('a');
  await kept();
  expect(await store.find(beta, idOf('a'), 60)).toBeNull();
  keep('a', { principal: beta, bytes: 30 });
  await kept();
  expect((await store.find(alpha, idOf('a'), 60))?.answer).toHaveLength(10);
  const rows = (sql: string): Promise<unknown[]> => db.database.tenant(beta, (tx) => tx.query(sql));
  expect(await rows("SELECT FROM cached_answers WHERE tenant_id = 'alpha'")).toEqual([]);
  await rows("DELETE FROM cached_answers WHERE tenant_id = 'alpha'");
  await rows("UPDATE cached_answers SET answer = ''");
  await expect(
    rows("INSERT INTO cached_answers (tenant_id, id, answer, expires_at) SELECT 'alpha', sha256('x'), '', now()"),
  ).rejects.toThrow('row-level security');
  expect((await store.find(alpha, idOf('a'), 60))?.answer).toHaveLength(10);
  await expect(
    db.database.platform(jobPrincipals.for('test'), (tx) => tx.query('SELECT answer FROM cached_answers')),
  ).rejects.toThrow('permission denied');
});

test('of a tenant that was deleted, or is being deleted while it is written, nothing is kept', async () => {
  await asSuperuser(`INSERT INTO tenants (id, name, status, settings, created_at, updated_at)
    SELECT id, id, 'active', '{}', now(), now() FROM unnest(ARRAY['gone', 'going']) id`);
  await asSuperuser("UPDATE tenants SET status = 'deleted' WHERE id = 'gone'");
  keep('late', { principal: tenantPrincipal('gone') });
  await kept();
  const deleting = new Client({ connectionString: db.urls.superuserUrl, options: '-c search_path=openclawmu' });
  await deleting.connect();
  await deleting.query(`BEGIN; SELECT FROM tenants WHERE id = 'going' FOR UPDATE;
    UPDATE tenants SET status = 'deleted' WHERE id = 'going'; DELETE FROM cached_answers WHERE tenant_id = 'going'`);
  keep('under way', { principal: tenantPrincipal('going') });
  await eventually(
    () => asSuperuser("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"),
    ({ length }) => length === 1,
  );
  await deleting.query('COMMIT');
  await deleting.end();
  await kept();
  expect(await asSuperuser('SELECT tenant_id FROM cached_answers')).toEqual([]);
});

test('what is older than its time, or than the tenant now wants, is not found, and is swept', async () => {
  keep('short', { seconds: 30 });
  keep('long', { seconds: 90 });
  await kept();
  await asSuperuser(
    `UPDATE cached_answers SET stored_at = stored_at - interval '60 s', expires_at = expires_at - interval '60 s'`,
  );
  expect(await store.find(alpha, idOf('short'), 3_600)).toBeNull();
  expect(await store.find(alpha, idOf('long'), 30)).toBeNull();
  expect((await store.find(alpha, idOf('long'), 3_600))?.ageSeconds).toBeGreaterThanOrEqual(60);
  await new CacheSweeper(db.database, jobPrincipals, silentLog).sweep();
  expect(await asSuperuser('SELECT id FROM cached_answers')).toEqual([{ id: idOf('long') }]);
});

test('of a tenant that has more than it may, the oldest go; of its neighbour, none', async () => {
  keep('neighbour', { principal: beta, bytes: 500 });
  for (let n = 0; n < 30; n++) keep(`answer ${n}`, { bytes: 100, maxTenantBytes: 1_600 });
  await kept();
  const [sum] = await asSuperuser("SELECT sum(bytes)::int AS bytes FROM cached_answers WHERE tenant_id = 'alpha'");
  expect(sum?.['bytes']).toBeLessThanOrEqual(1_600);
  expect(sum?.['bytes']).toBeGreaterThan(1_000);
  expect(await store.find(alpha, idOf('answer 29'), 60)).not.toBeNull();
  expect(await store.find(alpha, idOf('answer 0'), 60)).toBeNull();
  expect(await store.find(beta, idOf('neighbour'), 60)).not.toBeNull();
});

test('a database that does not answer costs a moment once, and then nothing for a while', async () => {
  keep('a');
  await kept();
  const client = new Client({ connectionString: db.urls.superuserUrl, options: '-c search_path=openclawmu' });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE cached_answers IN ACCESS EXCLUSIVE MODE');
  expect(await store.find(alpha, idOf('a'), 60)).toBeNull();
  await client.query('ROLLBACK');
  await client.end();
  expect(await store.find(alpha, idOf('a'), 60)).toBeNull();
  expect(await count('failed')).toBe(1);
});

test('a database that fails loses what was to be kept, and nothing else', async () => {
  const { database } = await db.otherProcess();
  store = new AnswerStore(database, new CacheMetrics((registry = new Registry())), silentLog);
  await database.close();
  keep('a');
  await kept();
  expect(await store.find(alpha, idOf('a'), 60)).toBeNull();
  expect(await count('failed')).toBe(2);
});

test('what cannot be written soon enough is not kept in memory without end', async () => {
  for (let n = 0; n < 4; n++) keep(`huge ${n}`, { bytes: 30 * 1024 * 1024, maxTenantBytes: 1 });
  await kept();
  expect(await count('failed')).toBe(2);
});
