import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { eventually } from './department';

const SUPERUSER = 'administrator';
const PASSWORD = 'of-the-administrator';
const PROGRAMS_15 = '/usr/lib/postgresql/15/bin';
const INSTALL_15 = ['install', '-y', '--no-install-recommends', 'postgresql-15'];

/** The folder of PostgreSQL 15's programs, the oldest supported, its client's among them; installs them where root may. */
export function programsOf15(): string {
  if (existsSync(PROGRAMS_15)) return PROGRAMS_15;
  if (process.getuid?.() !== 0)
    throw new Error(`PostgreSQL 15 is not installed; run: sudo apt-get ${INSTALL_15.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', INSTALL_15, { env, stdio: 'ignore' });
  return PROGRAMS_15;
}

/** A PostgreSQL of the system's packages, as a company runs one: its own cluster on a unix socket in a temporary folder. */
export class PostgresServer {
  private constructor(
    private readonly folder: string,
    private readonly process: ChildProcess,
  ) {}

  /** @param programs folder of `initdb` and `postgres` */
  static async start(programs: string): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'pg-'));
    const account = await accountOfServer();
    if (account) await chown(folder, account.uid, account.gid);
    const data = join(folder, 'data');
    await writeFile(join(folder, 'password'), PASSWORD, { mode: 0o644 });
    const login = ['-U', SUPERUSER, `--pwfile=${join(folder, 'password')}`, '--auth=scram-sha-256'];
    execFileSync(join(programs, 'initdb'), ['-D', data, ...login, '--encoding=UTF8', '--locale=C', '--no-sync'], {
      ...account,
      cwd: folder,
      stdio: 'ignore',
    });
    const settings = [`unix_socket_directories=${folder}`, 'listen_addresses=', 'fsync=off', 'max_connections=50'];
    const server = spawn(join(programs, 'postgres'), ['-D', data, ...settings.flatMap((each) => ['-c', each])], {
      ...account,
      cwd: folder,
      stdio: 'ignore',
    });
    const started = new PostgresServer(folder, server);
    await eventually(() =>
      started.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    );
    return started;
  }

  url(login = SUPERUSER, password = PASSWORD, database = 'postgres'): string {
    return `postgresql://${login}:${password}@${encodeURIComponent(this.folder)}/${database}?sslmode=disable`;
  }

  /** As its administrator. */
  async query(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url(SUPERUSER, PASSWORD, database) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    const gone = once(this.process, 'exit');
    this.process.kill('SIGINT');
    await gone;
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** PostgreSQL refuses to run as root; its packages bring an account for it. */
async function accountOfServer(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [, , uid, gid] = /^postgres:.*$/m.exec(await readFile('/etc/passwd', 'utf8'))?.[0].split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
