import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Books } from '../support/books';
import { createDatabase, type TestDatabase } from '../support/database';
import { createDepartment } from '../support/department';
import { createPlace, Gateway, type Place } from '../support/gateway';
import { runGateway } from '../support/gateway-run';
import { PostgresServer, programsOf15 } from '../support/postgres-server';

/** Making a cluster and installing one takes its time. */
jest.setTimeout(300_000);

/** A company's own PostgreSQL, with the logins companies give out. */
let oldest: PostgresServer;

beforeAll(async () => {
  oldest = await PostgresServer.start(programsOf15());
});
afterAll(() => oldest.stop());

let places = 0;

/** A gateway's place whose database is `oldest`'s, made by its administrator and given to `owner`. */
async function placeOn(server: PostgresServer, owner: string, login = owner): Promise<Place> {
  const name = `gateway${++places}`;
  await server.query(`CREATE DATABASE ${name} OWNER ${owner}`);
  const database: TestDatabase = {
    name,
    ownerUrl: server.url(owner, 'secret', name),
    gatewayUrl: server.url(login, 'secret', name),
    superuserUrl: server.url(undefined, undefined, name),
    drop: async () => void (await server.query(`DROP DATABASE ${name} WITH (FORCE)`)),
  };
  return createPlace(database);
}

/** Everything a first day needs: migrations, a tenant, a token, a budget, a billed call, the audit trail. */
async function live(gateway: Gateway): Promise<void> {
  const { id, token } = await createDepartment(gateway, { budget: '5.00' });
  const asked = { model: 'local/demo', max_tokens: 5, messages: [{ role: 'user', content: 'Hello!' }] };
  expect((await gateway.call('POST', '/v1/chat/completions', asked, token)).status).toBe(200);
  await gateway.must('DELETE', `/api/v1/admin/tenants/${id}`);
  expect(await gateway.must('GET', '/api/v1/admin/audit/verification')).toMatchObject({ ok: true, fault: null });
  expect(await gateway.stop()).toBe(0);
  const books = await Books.open(gateway.place.database);
  try {
    expect(await books.calls(id)).toMatchObject([{ model: 'local/demo', status: 'actual', outcome: 'completed' }]);
    // The wall between departments stands on every version: forced, and for everybody.
    const open = await books.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'openclawmu'::regnamespace AND relrowsecurity AND NOT relforcerowsecurity`,
    );
    expect(open).toEqual([]);
  } finally {
    await books.close();
  }
}

describe('a login that may not create roles', () => {
  // First of all tests, because roles belong to the cluster and the others make them.
  test('is told what an administrator must run, and that is all it takes', async () => {
    await oldest.query(`CREATE ROLE humble LOGIN PASSWORD 'secret'`);
    const place = await placeOn(oldest, 'humble');
    const { gatewayUrl } = place.database;
    await writeFile(join(place.folder, 'openclawmu.yaml'), 'server: { port: 0 }\n');

    const { code, stderr } = await runGateway(place.folder, { DATABASE_URL: gatewayUrl });
    expect(code).toBe(1);
    expect(stderr).toContain('CREATEROLE');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    const remedy = /run: (.+;)/.exec(stderr)?.[1] as string;

    await oldest.query(remedy);
    const gateway = await Gateway.start({ place, env: { DATABASE_MIGRATION_URL: '' } });
    try {
      await live(gateway);
    } finally {
      await gateway.remove();
    }
  });
});

describe('PostgreSQL 15, the oldest supported', () => {
  test('with a login for migrations and another, which owns nothing, for the gateway', async () => {
    await oldest.query(`CREATE ROLE owner_a LOGIN CREATEROLE PASSWORD 'secret'`);
    await oldest.query(`CREATE ROLE runner_a LOGIN NOINHERIT PASSWORD 'secret'`);
    const gateway = await Gateway.start({ place: await placeOn(oldest, 'owner_a', 'runner_a') });
    try {
      await live(gateway);
      const owned = await oldest.query(
        `SELECT relname FROM pg_class WHERE relowner = 'runner_a'::regrole`,
        gateway.place.database.name,
      );
      expect(owned).toEqual([]);
    } finally {
      await gateway.remove();
    }
  });

  test('with one login for everything', async () => {
    await oldest.query(`CREATE ROLE everything LOGIN CREATEROLE PASSWORD 'secret'`);
    const place = await placeOn(oldest, 'everything');
    const gateway = await Gateway.start({ place, env: { DATABASE_MIGRATION_URL: '' } });
    try {
      await live(gateway);
    } finally {
      await gateway.remove();
    }
  });
});

describe('PostgreSQL 18, the one that is built in', () => {
  test.each<[string, (database: TestDatabase) => string]>([
    ['the login that owns the database', ({ ownerUrl }) => ownerUrl],
    ['an administrator of the server', ({ superuserUrl }) => superuserUrl],
  ])('with one login for everything, %s', async (_, urlOf) => {
    const database = await createDatabase();
    const place = await createPlace({ ...database, gatewayUrl: urlOf(database) });
    const gateway = await Gateway.start({ place, env: { DATABASE_MIGRATION_URL: '' } });
    try {
      await live(gateway);
    } finally {
      await gateway.remove();
    }
  });

  test('a database that is not there is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'openclawmu-test-'));
    const database = await createDatabase();
    try {
      const missing = new URL(database.gatewayUrl);
      missing.pathname = '/nowhere';
      const { code, stderr } = await runGateway(folder, { DATABASE_URL: missing.href });
      expect(code).toBe(1);
      expect(stderr).toContain('database "nowhere" does not exist');
    } finally {
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
