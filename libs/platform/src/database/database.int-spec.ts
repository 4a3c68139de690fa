import { EventEmitter } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { asSuperuser, createDatabase, MIGRATED } from '../../../../test/support/database';
import { openGatewayDatabase, silentLog, type GatewayDatabase } from '../../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals, tenantPrincipal } from '../../../../test/support/principals';
import { Client, type Pool } from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ChangeFeed } from './change-feed';
import { createDataSource } from './connection';
import { Database } from './database';
import { once } from './idempotency';
import { DatabaseUnfit, migrate, MigrationInterrupted } from './migrate';
import type { Tx } from './tx';

let gateway: GatewayDatabase;
beforeAll(async () => {
  gateway = await openGatewayDatabase();
  await gateway.database.platform(adminPrincipal(), async (tx) => {
    await addTenant(tx, 'alpha');
    await addTenant(tx, 'beta');
  });
});
afterAll(() => gateway.close());

const addTenant = (tx: Tx, id: string) =>
  tx.query(
    `INSERT INTO tenants (id, name, status, settings, created_at, updated_at) VALUES ($1, $1, 'active', '{}', now(), now())`,
    [id],
  );
const tenantIds = async (tx: Tx) =>
  (await tx.query<{ id: string }>('SELECT id FROM tenants ORDER BY id')).map((row) => row.id);

describe('the database door', () => {
  test('a tenant transaction finds only its own rows, without any where', async () => {
    expect(await gateway.database.tenant(tenantPrincipal('alpha'), tenantIds)).toEqual(['alpha']);
    expect(await gateway.database.tenant(tenantPrincipal('beta'), tenantIds)).toEqual(['beta']);
    expect(await gateway.database.platform(adminPrincipal(), tenantIds)).toEqual(['alpha', 'beta']);
  });

  test('a tenant transaction cannot write a row of another tenant', async () => {
    const write = gateway.database.tenant(tenantPrincipal('alpha'), (tx) =>
      tx.query(
        `INSERT INTO tokens (id, tenant_id, label, hash, hint, role, created_at, created_by) VALUES ('tok_x', 'beta', 'x', sha256('x'), 'x', 'member', now(), 'x')`,
      ),
    );
    await expect(write).rejects.toThrow(/row-level security/);
  });

  test('the scope ends with the transaction: the next one on the same connection starts from nothing', async () => {
    for (let i = 0; i < 12; i++) {
      await gateway.database.tenant(tenantPrincipal('alpha'), tenantIds);
      expect(await gateway.database.tenant(tenantPrincipal('beta'), tenantIds)).toEqual(['beta']);
    }
  });

  test('no role the gateway runs as owns a table, bypasses row-level security or is a superuser', async () => {
    const owned = `SELECT count(*)::int AS n FROM pg_class WHERE relowner = current_user::regrole`;
    const powers = `SELECT rolsuper OR rolbypassrls OR rolcreaterole AS strong FROM pg_roles WHERE rolname IN (current_user, session_user)`;
    for (const run of [
      (sql: string) => gateway.database.tenant(tenantPrincipal('alpha'), (tx) => tx.query(sql)),
      (sql: string) => gateway.database.platform(adminPrincipal(), (tx) => tx.query(sql)),
    ]) {
      expect(await run(owned)).toEqual([{ n: 0 }]);
      expect(await run(powers)).toEqual([{ strong: false }, { strong: false }]);
    }
  });

  test('outside the door the login can read nothing', async () => {
    const client = new Client({ connectionString: gateway.urls.gatewayUrl });
    await client.connect();
    try {
      await expect(client.query('SELECT * FROM openclawmu.tenants')).rejects.toThrow(/permission denied/);
    } finally {
      await client.end();
    }
  });

  test('every table with rows of tenants forces row-level security, for its owner too', async () => {
    const client = new Client({ connectionString: gateway.urls.superuserUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ name: string }>(
        `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'openclawmu' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
           AND (c.relname = 'tenants' OR EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'))
         ORDER BY 1`,
      );
      // Tenants have no right at all on this one: they append to it through append_audit.
      expect(rows.map((row) => row.name)).toEqual(['audit_records']);
      const rights = await client.query(
        `SELECT 1 FROM information_schema.role_table_grants
         WHERE grantee = 'openclawmu_tenant' AND table_name = 'audit_records'`,
      );
      expect(rights.rowCount).toBe(0);
    } finally {
      await client.end();
    }
  });

  test.each([
    ['a statement', (tx: Tx) => tenantIds(tx)],
    ['the end', () => Promise.resolve([])],
  ])(
    'a connection that breaks between two statements is a database that is away, whatever met it first: %s',
    async (_, rest) => {
      const client = new Client({ connectionString: gateway.urls.superuserUrl });
      await client.connect();
      try {
        const cut = gateway.database.platform(adminPrincipal(), async (tx) => {
          const [own] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
          await client.query('SELECT pg_terminate_backend($1, 5000)', [own?.pid]);
          await new Promise((later) => setTimeout(later, 50));
          return rest(tx);
        });
        await expect(cut).rejects.toMatchObject({ code: 'database_unavailable' });
      } finally {
        await client.end();
      }
    },
  );

  test('nothing that somebody has set for the database changes how it works and what is read of it', async () => {
    const { urls } = gateway;
    const strange = {
      DateStyle: "'SQL, DMY'",
      TimeZone: "'Asia/Kolkata'",
      IntervalStyle: "'sql_standard'",
      bytea_output: "'escape'",
      row_security: 'off',
      search_path: 'pg_catalog',
      default_transaction_isolation: "'serializable'",
      lock_timeout: "'1ms'",
      idle_in_transaction_session_timeout: "'1ms'",
      idle_session_timeout: "'1ms'",
    };
    const client = new Client({ connectionString: urls.superuserUrl });
    await client.connect();
    const name = new URL(urls.gatewayUrl).pathname.slice(1);
    const set = (to: (setting: string) => string) =>
      client.query(
        Object.keys(strange)
          .map((setting) => `ALTER DATABASE ${name} ${to(setting)}`)
          .join(';'),
      );
    await set((setting) => `SET ${setting} = ${strange[setting as keyof typeof strange]}`);
    const door = new Database(await createDataSource(urls.gatewayUrl, 1).initialize());
    try {
      const [row] = await door.platform(adminPrincipal(), (tx) =>
        tx.query(
          `SELECT timestamptz '2026-03-04 05:06:07+00' AS at, '2026-03-04 05:06:07Z'::timestamptz::text AS text,
                  interval '1 day'::text AS day, '\\x00ff'::bytea::text AS bytes, (SELECT count(*)::int FROM tenants) AS tenants,
                  current_setting('transaction_isolation') AS isolation, current_setting('lock_timeout') AS lock,
                  current_setting('idle_in_transaction_session_timeout') AS open, current_setting('idle_session_timeout') AS idle`,
        ),
      );
      expect(row).toEqual({
        at: new Date('2026-03-04T05:06:07Z'),
        text: '2026-03-04 05:06:07+00',
        day: '1 day',
        bytes: '\\x00ff',
        tenants: 2,
        isolation: 'read committed',
        lock: '10s',
        open: '1min',
        idle: '0',
      });
    } finally {
      await door.close();
      await set((setting) => `RESET ${setting}`).finally(() => client.end());
    }
  });

  test('a login that may not come in any more finds the database away, and is no fault of what it asked', async () => {
    const { urls } = gateway;
    const name = new URL(urls.gatewayUrl).pathname.slice(1);
    const door = new Database(await createDataSource(urls.gatewayUrl, 1).initialize());
    await asSuperuser(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await asSuperuser(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
    try {
      for (let i = 0; i < 2; i++)
        await expect(door.platform(adminPrincipal(), tenantIds)).rejects.toMatchObject({
          code: 'database_unavailable',
        });
    } finally {
      await asSuperuser(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await door.close();
    }
  });

  test.each([
    ['is asked', (door: Database) => door.ping()],
    ['writes', (door: Database) => door.platform(adminPrincipal(), (tx) => tx.query('UPDATE tenants SET name = name'))],
  ])('a session from when the database took no writes is not kept by whoever %s', async (_, attempt) => {
    const { urls } = gateway;
    const name = new URL(urls.gatewayUrl).pathname.slice(1);
    await asSuperuser(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    const door = new Database(await createDataSource(urls.gatewayUrl, 1).initialize());
    try {
      await expect(attempt(door)).rejects.toMatchObject({ code: 'database_unavailable' });
      await asSuperuser(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
      await attempt(door);
    } finally {
      await asSuperuser(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
      await door.close();
    }
  });

  test('a connection that breaks while it is handed over, when nobody listens yet, ends no process', async () => {
    const source = createDataSource(gateway.urls.gatewayUrl, 1);
    await source.initialize();
    const handedOver = await (source.driver as unknown as { master: Pool }).master.connect();
    expect(() => handedOver.emit('error', new Error('terminating connection'))).not.toThrow();
    handedOver.release(true);
    await source.destroy();
  });

  test('tickets cannot be forged', () => {
    const forged = { ...tenantPrincipal('alpha'), tenantId: 'beta' } as never;
    expect(() => gateway.database.tenant(forged, tenantIds)).toThrow(/minted by auth/);
    expect(() => gateway.database.platform(tenantPrincipal('alpha'), tenantIds)).toThrow(/no business/);
    expect(() => gateway.database.tenant(tenantPrincipal("a'; RESET ROLE; --"), tenantIds)).toThrow(
      /principal of a tenant/,
    );
    expect(() => gateway.database.tenant(adminPrincipal(), tenantIds)).toThrow(/principal of a tenant/);
  });

  test('a failed transaction leaves nothing and announces nothing', async () => {
    const { changes } = await gateway.otherProcess();
    const heard: string[] = [];
    changes.on('probe', { changed: (id) => heard.push(id), reset: () => heard.push('reset') });
    const failing = gateway.database.platform(adminPrincipal(), async (tx) => {
      await addTenant(tx, 'gamma');
      tx.announce('probe', 'lost');
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    await gateway.database.platform(adminPrincipal(), (tx) => Promise.resolve(tx.announce('probe', 'told')));
    await until(() => heard.length > 0);
    expect(heard).toEqual(['told']);
    expect(await gateway.database.platform(adminPrincipal(), tenantIds)).not.toContain('gamma');
  });
});

describe('the change feed', () => {
  test('notices within its bound what it was not told', async () => {
    const { changes } = await gateway.otherProcess();
    const heard: string[] = [];
    changes.on('silent', { changed: (id) => heard.push(id), reset: () => heard.push('reset') });
    const client = new Client({ connectionString: gateway.urls.superuserUrl });
    await client.connect();
    try {
      await client.query(`INSERT INTO openclawmu.change_counters VALUES ('silent', 7)`);
      await until(() => heard.length > 0);
    } finally {
      await client.end();
    }
    expect(heard).toEqual(['reset']);
  });

  test('comes back after its connection is cut, and says that it missed something', async () => {
    const { changes } = await gateway.otherProcess();
    const heard: string[] = [];
    changes.on('cut', { changed: (id) => heard.push(id), reset: () => heard.push('reset') });
    const client = new Client({ connectionString: gateway.urls.superuserUrl });
    await client.connect();
    try {
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%change_counters%' AND pid <> pg_backend_pid()`,
      );
      await client.query(`SET ROLE openclawmu_owner; INSERT INTO openclawmu.change_counters VALUES ('cut', 1)`);
    } finally {
      await client.end();
    }
    await until(() => heard.length > 0);
    expect(heard).toEqual(['reset']);
  });
});

describe('a change feed behind a network', () => {
  /** Passes everything on, but for connections that come in a bad moment: those stay silent from `LISTEN` on. */
  let isBad = false;
  const sockets = new Set<Socket>();
  const silenced = new EventEmitter();
  const network = createServer((near) => {
    const { hostname, port } = new URL(gateway.urls.gatewayUrl);
    const far = connect(join(decodeURIComponent(hostname), `.s.PGSQL.${port}`));
    const bad = isBad;
    far.pipe(near);
    near.on('data', (data) => {
      if (bad && data.includes('LISTEN')) {
        far.unpipe(near);
        silenced.emit('silence');
      } else far.write(data);
    });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => [near, far].forEach((each) => each.destroy()));
    }
  });
  afterAll(() => network.close());

  test('gives up a server that goes silent while it is being asked to tell, and asks another time', async () => {
    await new Promise<void>((resolve) => network.listen(0, '127.0.0.1', resolve));
    const { port } = network.address() as AddressInfo;
    const url = gateway.urls.gatewayUrl.replace(/@[^/]+/, `@127.0.0.1:${port}`);
    const changes = new ChangeFeed(url, silentLog);
    const heard: string[] = [];
    changes.on('far', { changed: (id) => heard.push(id), reset: () => heard.push('reset') });
    await changes.start();
    isBad = true;
    const silence = new Promise((resolve) => silenced.once('silence', resolve));
    for (const socket of sockets) socket.destroy();
    await silence;
    isBad = false;
    const client = new Client({ connectionString: gateway.urls.superuserUrl });
    await client.connect();
    await client.query(`INSERT INTO openclawmu.change_counters VALUES ('far', 1)`).finally(() => client.end());
    await until(() => heard.length > 0);
    expect(heard).toEqual(['reset']);
    await changes.stop();
    for (const socket of sockets) socket.destroy();
  });
});

describe('migrating', () => {
  /** The session that migrates, that which holds the lock, or both, end in the middle of it: once. */
  let ending: 'all' | 'migrating' | 'lock' | null;
  class Interrupted1795300009999 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      await runner.query('CREATE TABLE openclawmu.half (id int)');
      const which = { all: 'pid IS NOT NULL', migrating: 'pid = pg_backend_pid()', lock: 'pid <> pg_backend_pid()' };
      const condition = ending && which[ending];
      ending = null;
      if (condition !== null)
        await runner.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND ${condition} ORDER BY pid = pg_backend_pid()`,
        );
    }
    down = (): Promise<void> => Promise.resolve();
  }

  test.each([
    ['TLS that the server does not have', (url: URL) => url.searchParams.set('sslmode', 'verify-full'), 'SSL'],
    ['no password', (url: URL) => (url.password = ''), 'password'],
  ])('says what to look at when the address asks for %s', async (_, change, said) => {
    const database = await createDatabase();
    const url = new URL(database.ownerUrl);
    change(url);
    try {
      const refusal: unknown = await migrate({ ownerUrl: url.href, gatewayUrl: url.href, migrations: [] }).catch(
        (error: unknown) => error,
      );
      expect(refusal).toBeInstanceOf(DatabaseUnfit);
      expect((refusal as Error).message).toMatch(new RegExp(`No connection .*${said}.* Check DATABASE_URL`));
    } finally {
      await database.drop();
    }
  });

  test('refuses a schema that a newer version has made, and leaves it as it is', async () => {
    const database = await createDatabase(MIGRATED);
    try {
      const refusal: unknown = await migrate({ ...database, migrations: [] }).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(DatabaseUnfit);
      expect((refusal as Error).message).toMatch(/newer version .*\(Foundation1795300000001, .* restore the backup/);
    } finally {
      await database.drop();
    }
  });

  test.each<['all' | 'migrating' | 'lock', RegExp | null]>([
    ['all', /terminating connection|Connection terminated/],
    ['migrating', /terminating connection|Connection terminated/],
    ['lock', null],
  ])('outlives the end of its sessions (%s), says what to do, and leaves nothing half done', async (which, said) => {
    const database = await createDatabase();
    const run = () => migrate({ ...database, migrations: [Interrupted1795300009999] });
    ending = which;
    try {
      if (said !== null) {
        const failure: unknown = await run().catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(MigrationInterrupted);
        expect((failure as Error).message).toMatch(said);
        expect((failure as Error).message).toContain('start the gateway again');
      }
      expect(await run()).toEqual(['Interrupted1795300009999']);
    } finally {
      await database.drop();
    }
  });
});

describe('once', () => {
  const key = 'k-0123456789';
  const run = (request: unknown, work: () => Promise<unknown>, caller = adminPrincipal(), k = key) =>
    gateway.database.platform(caller, (tx) => once(tx, k, request, work));

  test('a repeat gets the first answer and does nothing', async () => {
    let runs = 0;
    const work = () => Promise.resolve({ token: `secret-${++runs}` });
    expect(await run({ a: 1 }, work)).toEqual({ token: 'secret-1' });
    expect(await run({ a: 1 }, work)).toEqual({ token: 'secret-1' });
    expect(runs).toBe(1);
    await expect(run({ a: 2 }, work)).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect(await run({ a: 1 }, work, adminPrincipal('admin', 'another'))).toEqual({ token: 'secret-2' });
  });

  test('simultaneous copies run once', async () => {
    let runs = 0;
    const slow = () => new Promise((done) => setTimeout(() => done(++runs), 50));
    const answers = await Promise.all(Array.from({ length: 5 }, () => run({}, slow, adminPrincipal(), 'simultaneous')));
    expect(answers).toEqual([1, 1, 1, 1, 1]);
  });

  test('the database holds neither the key nor the answer', async () => {
    await run({ b: 1 }, () => Promise.resolve({ token: 'plain-secret' }), jobPrincipals.for('x'), 'another-key');
    const [row] = await gateway.database.platform(adminPrincipal(), (tx) =>
      tx.query<{ all: string }>(
        `SELECT string_agg(encode(id || request_hash || answer, 'escape'), ' ') AS all FROM idempotency_keys`,
      ),
    );
    expect(row?.all).not.toMatch(/plain-secret|another-key/);
  });

  test('refuses keys that are too short or not printable', async () => {
    await expect(run({}, () => Promise.resolve(1), adminPrincipal(), 'short')).rejects.toMatchObject({
      code: 'validation_failed',
    });
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 10));
}
