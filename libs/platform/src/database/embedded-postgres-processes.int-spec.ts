import { spawn, spawnSync } from 'node:child_process';
import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { LauncherCopy, type ChildReport } from '../../../../test/support/embedded-postgres-child';
import { clusterDirectory } from './cluster';
import { findPostmaster, isOrphan } from './postmaster';

const NOBODY = 65_534;
const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];
const isRoot = process.geteuid?.() === 0;
const canBeNobody = isRoot && spawnSync('setpriv', [...asNobody.slice(1), process.execPath, '--version']).status === 0;

let copy: LauncherCopy;
let dataDir: string;

beforeAll(async () => {
  copy = await LauncherCopy.make();
});

afterAll(() => copy.remove());

beforeEach(async () => {
  dataDir = join(await copy.folder(), 'data');
});

async function query(report: ChildReport, sql: string): Promise<unknown[]> {
  if (!report.superuserUrl) throw new Error(`No server: ${report.message}`);
  const client = new Client({ connectionString: report.superuserUrl });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const server = () => findPostmaster(clusterDirectory(dataDir));

async function serverGone(): Promise<void> {
  while (await server()) await delay(5);
}

async function serverUid(): Promise<number> {
  const { pid } = (await server())!;
  return (await stat(`/proc/${pid}`)).uid;
}

describe('when its process is killed', () => {
  it('the server goes too, and the next start finds all that was committed', async () => {
    const first = await copy.run(dataDir);
    await query(await first.report(), 'create table kept as select 1 as one');
    expect(await server()).toMatchObject({ ownerPid: first.process.pid, parentPid: first.process.pid });
    await first.kill('SIGKILL');
    await serverGone();

    const second = await copy.run(dataDir);
    expect(await query(await second.report(), 'select one from kept')).toEqual([{ one: 1 }]);
    await second.kill();
    await serverGone();
  });

  it('a restart at once waits for the old server to finish', async () => {
    const first = await copy.run(dataDir);
    await query(await first.report(), 'create table kept as select generate_series(1, 200000) as n');
    await first.kill('SIGKILL');
    const second = await copy.run(dataDir);
    expect(await query(await second.report(), 'select count(*)::int as n from kept')).toEqual([{ n: 200_000 }]);
    await second.kill();
    await serverGone();
  });

  it('a server that could not be told is ended by the next start', async () => {
    const tools = ['unshare'];
    const first = await copy.run(dataDir, { tools });
    await query(await first.report(), 'create table kept as select 1 as one');
    await first.kill('SIGKILL');
    const orphan = await server();
    expect(orphan && isOrphan(orphan)).toBe(true);

    const second = await copy.run(dataDir, { tools });
    expect(await query(await second.report(), 'select one from kept')).toEqual([{ one: 1 }]);
    expect(await server()).toMatchObject({ ownerPid: second.process.pid });
    await second.kill();
    process.kill((await server())!.pid, 'SIGINT');
    await serverGone();
  });
});

it('outlives Ctrl-C, so that requests in flight can be drained', async () => {
  const child = await copy.run(dataDir);
  const report = await child.report();
  process.kill(-child.process.pid!, 'SIGINT');
  expect(await child.report()).toEqual({ interrupted: true });
  expect(await query(report, 'select 1 as one')).toEqual([{ one: 1 }]);
  await child.kill();
  await serverGone();
});

it('refuses a second process on the same data and names the first', async () => {
  const first = await copy.run(dataDir);
  const report = await first.report();
  const second = await copy.run(dataDir);
  expect(await second.report()).toMatchObject({
    error: 'DataDirectoryInUse',
    message: expect.stringContaining(`process ${first.process.pid} `),
  });
  expect(await query(report, 'select 1 as one')).toEqual([{ one: 1 }]);
  await first.kill();
  await serverGone();
});

it('starts although the process id in a stale lock is somebody else’s now', async () => {
  const first = await copy.run(dataDir);
  await first.report();
  const lock = join(clusterDirectory(dataDir), 'postmaster.pid');
  const left = await readFile(lock, 'utf8');
  await first.kill();
  await serverGone();
  const somebody = spawn('sleep', ['600']);
  try {
    await writeFile(lock, left.replace(/^\d+/, String(somebody.pid)));
    const second = await copy.run(dataDir);
    expect(await query(await second.report(), 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(somebody.exitCode).toBeNull();
    await second.kill();
    await serverGone();
  } finally {
    somebody.kill();
  }
});

it('is not led astray by settings meant for another PostgreSQL', async () => {
  const env = {
    PGPORT: '1',
    PGDATA: '/nowhere',
    PGSSLMODE: 'require',
    PGDATABASE: 'other',
  };
  const child = await copy.run(dataDir, { env: { ...env, TZ: 'Asia/Tokyo', LC_ALL: 'xx_YY' } });
  expect((await child.report()).superuserUrl).toMatch(/:5432\/openclawmu/);
  await child.kill();
  await serverGone();
});

it('shows the server nothing of our environment', async () => {
  const child = await copy.run(dataDir, { env: { ANTHROPIC_API_KEY: 'sk-ant-secret', PGDATA: '/nowhere' } });
  await child.report();
  const environment = await readFile(`/proc/${(await server())!.pid}/environ`, 'utf8');
  expect(environment.split('\0').map((each) => each.split('=')[0])).toEqual(expect.arrayContaining(['PATH', 'TZ']));
  expect(environment).not.toMatch(/sk-ant-secret|nowhere/);
  await child.kill();
  await serverGone();
});

(isRoot ? describe : describe.skip)('started by root', () => {
  it('leaves the files root’s where user namespaces exist', async () => {
    const child = await copy.run(dataDir, { tools: ['unshare', 'setpriv'] });
    expect(await query(await child.report(), 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await stat(clusterDirectory(dataDir))).uid).toBe(0);
    await child.kill();
    await serverGone();
  });

  it('runs as an unprivileged account where they do not, also on data root made before', async () => {
    for (const tools of [['unshare', 'setpriv'], ['setpriv'], ['unshare', 'setpriv']]) {
      const child = await copy.run(dataDir, { tools });
      const report = await child.report();
      await query(report, 'create table if not exists kept as select 1 as one');
      if (!tools.includes('unshare')) expect(await serverUid()).not.toBe(0);
      expect((await stat(clusterDirectory(dataDir))).uid).toBe(await serverUid());
      expect(await stat(join(dataDir, 'secrets.json'))).toMatchObject({ uid: 0 });
      expect(await query(report, 'select one from kept')).toEqual([{ one: 1 }]);
      await child.kill();
      await serverGone();
    }
  });

  it('runs as the folder’s owner where only that user can enter it', async () => {
    const home = await copy.folder();
    await mkdir(join(home, 'private'), { mode: 0o700 });
    await chown(join(home, 'private'), NOBODY, NOBODY);
    dataDir = join(home, 'private', 'data');
    const child = await copy.run(dataDir);
    expect(await query(await child.report(), 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await serverUid()).toBe(NOBODY);
    await child.kill();
    await serverGone();
  });
});

(canBeNobody ? it : it.skip)('runs for an ordinary user', async () => {
  const home = await copy.folder();
  await chown(home, NOBODY, NOBODY);
  dataDir = join(home, 'data');
  const child = await copy.run(dataDir, { prefix: asNobody });
  expect(await query(await child.report(), 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(await serverUid()).toBe(NOBODY);
  await child.kill();
  await serverGone();
});
