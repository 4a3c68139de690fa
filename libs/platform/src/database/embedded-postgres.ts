import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, realpath, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import {
  clusterDirectory,
  clusterExists,
  createCluster,
  DATABASE,
  ensureRolesAndDatabase,
  GATEWAY,
  OWNER,
  SUPERUSER,
} from './cluster';
import { createSecrets, readSecrets, SECRETS_FILE, type ClusterSecrets } from './cluster-secrets';
import { DataDirectoryInUse, DataDirectoryUnusable, EmbeddedPostgresFailed } from './embedded-postgres.errors';
import { locateBinaries } from './postgres-binaries';
import { disownStaleLock, findPostmaster, isOrphan, ownedBy, STOP_TIMEOUT_MS, stopOrphan } from './postmaster';
import { PORT, prepareSocketDirectory } from './socket-directory';
import { chooseLauncher, handOver, launch, type Launcher } from './unprivileged';

export interface EmbeddedPostgresOptions {
  /** Holds the cluster and its passwords; made with mode 0700 when missing. */
  readonly dataDir: string;
  /** Receives each line of the server's log. */
  readonly log?: (line: string) => void;
  /** Server settings over our own, such as `fsync: 'off'` for throw-away data. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** For a gateway on a small machine; durability is PostgreSQL's own default, which is on. */
const SETTINGS = {
  listen_addresses: '',
  port: String(PORT),
  unix_socket_permissions: '0700',
  shared_buffers: '64MB',
  max_wal_size: '512MB',
  max_connections: '100',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '[%p] ',
};

const ROLES = { superuser: SUPERUSER, owner: OWNER, gateway: GATEWAY } as const;
const LAST_LINES = 20;
/** Replaying the log after a crash takes its time; a server that still says "starting up" after this is stuck. */
const START_TIMEOUT_MS = 600_000;

/**
 * A PostgreSQL server of our own: real binaries from the package registry, run as a child on a private unix socket.
 * It ends with us, however we end.
 */
export class EmbeddedPostgres {
  private stopping: Promise<void> | undefined;

  private constructor(
    private readonly server: Server,
    private readonly socketDir: string,
    private readonly secrets: ClusterSecrets,
  ) {}

  /**
   * Starts the server on a data directory and resolves when it answers; the first time makes the cluster, its roles and its database.
   * A server left over from a process that died is ended first.
   * @throws EmbeddedPostgresUnavailable, DataDirectoryInUse, DataDirectoryUnusable, EmbeddedPostgresFailed
   */
  static async start({ dataDir: folder, log, settings }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const binaries = locateBinaries();
    const dataDir = await openDataDirectory(folder);
    const clusterDir = clusterDirectory(dataDir);
    await claim(dataDir, clusterDir);
    const launcher = await chooseLauncher(binaries.postgres, dataDir);
    if (launcher.account) await handOver(dataDir, launcher.account, SECRETS_FILE);
    const exists = await clusterExists(dataDir);
    const secrets = exists ? await readSecrets(dataDir) : await createSecrets(dataDir);
    if (!exists) await createCluster(dataDir, binaries, launcher, secrets.superuser, settings?.['fsync'] !== 'off');
    const socketDir = await prepareSocketDirectory(dataDir, launcher.account);
    await disownStaleLock(join(clusterDir, 'postmaster.pid'), clusterDir);
    await disownStaleLock(join(socketDir, `.s.PGSQL.${PORT}.lock`), clusterDir);

    const mark = randomUUID();
    const effective = { ...SETTINGS, unix_socket_directories: `"${socketDir}"`, cluster_name: mark, ...settings };
    const assignments = [...Object.entries(effective).map(([name, value]) => `${name}=${value}`), ownedBy(process.pid)];
    const command = [binaries.postgres, '-D', clusterDir, ...assignments.flatMap((assignment) => ['-c', assignment])];
    const embedded = new EmbeddedPostgres(new Server(launcher, command, log), socketDir, secrets);
    try {
      await embedded.prepare(mark);
    } catch (error) {
      await embedded.stop();
      const rival = await findPostmaster(clusterDir);
      throw rival ? new DataDirectoryInUse(dataDir, rival.ownerPid ?? rival.pid) : error;
    }
    return embedded;
  }

  /** Connection string of the role that owns the database and may create roles: for migrations. */
  get ownerUrl(): string {
    return this.url('owner');
  }

  /** Connection string of the role that owns nothing: for everything else. */
  get gatewayUrl(): string {
    return this.url('gateway');
  }

  /**
   * Connection string for `pg` and libpq; the socket's folder stands percent-encoded in the place of the host. Port and
   * `sslmode` are there so that a caller's `PGPORT` or `PGSSLMODE`, meant for another server, do not reach this one.
   */
  url(role: keyof typeof ROLES, database = DATABASE): string {
    const host = encodeURIComponent(this.socketDir);
    return `postgresql://${ROLES[role]}:${this.secrets[role]}@${host}:${PORT}/${encodeURIComponent(database)}?sslmode=disable`;
  }

  /** Resolves when the server has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.server.gone;
  }

  /** Cuts clients off, writes a checkpoint and resolves when the server is gone; a second call waits for the first. */
  stop(): Promise<void> {
    this.stopping ??= this.server.stop().then(() => rmdir(this.socketDir).catch(() => undefined));
    return this.stopping;
  }

  private async prepare(mark: string): Promise<void> {
    const superuser = await this.connect();
    try {
      // Of two that start at the same moment, the one that came too late reaches the other's server by the same socket.
      const { rows } = await superuser.query<{ name: string }>("SELECT current_setting('cluster_name') AS name");
      if (rows[0]?.name !== mark)
        throw new EmbeddedPostgresFailed('Another embedded PostgreSQL answers in this place', this.server.lastLines);
      await ensureRolesAndDatabase(superuser, this.secrets);
    } finally {
      await superuser.end();
    }
  }

  private async connect(): Promise<Client> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const client = new Client({ connectionString: this.url('superuser', 'postgres') });
      client.on('error', () => undefined); // a server that ends while we connect is seen below
      try {
        await client.connect();
        return client;
      } catch (error) {
        if (!isNotReady(error)) throw error;
        if (this.server.ended)
          throw new EmbeddedPostgresFailed('The embedded PostgreSQL did not start', this.server.lastLines);
        if (Date.now() > deadline) {
          throw new EmbeddedPostgresFailed('The embedded PostgreSQL does not get ready', this.server.lastLines);
        }
        await delay(5);
      }
    }
  }
}

/** The server's process and the last lines of its log. */
class Server {
  readonly lastLines: string[] = [];
  ended = false;
  private readonly process: ChildProcess;
  readonly gone: Promise<void>;

  constructor(launcher: Launcher, command: readonly string[], log: (line: string) => void = () => undefined) {
    const child = launch(launcher, command, ['ignore', 'ignore', 'pipe']);
    this.process = child;
    if (child.stderr) {
      createInterface(child.stderr).on('line', (line) => {
        this.lastLines.splice(0, this.lastLines.length - LAST_LINES + 1);
        this.lastLines.push(line);
        log(line);
      });
    }
    // For systems without a death signal, where only an orderly exit can take the server along.
    const takeAlong = () => child.kill('SIGINT');
    process.once('exit', takeAlong);
    this.gone = new Promise((resolve) => {
      child.once('error', (error) => this.lastLines.push(error.message));
      child.once('close', () => {
        this.ended = true;
        process.off('exit', takeAlong);
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    this.process.kill('SIGINT');
    const impatience = setTimeout(() => this.process.kill('SIGQUIT'), STOP_TIMEOUT_MS);
    await this.gone;
    clearTimeout(impatience);
  }
}

async function openDataDirectory(folder: string): Promise<string> {
  try {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(folder, { mode: 0o700, recursive: true });
    return await realpath(folder);
  } catch (error) {
    throw new DataDirectoryUnusable(
      `The data directory ${folder} cannot be made or entered: ${(error as Error).message}`,
    );
  }
}

/** Makes sure that nobody runs a server on the data. */
async function claim(dataDir: string, clusterDir: string): Promise<void> {
  const running = await findPostmaster(clusterDir).catch((error: Error) => {
    throw new DataDirectoryUnusable(
      `The data directory ${dataDir} cannot be read: ${error.message}. It may belong to another user; start as that user, or give another data directory.`,
    );
  });
  if (!running) return;
  if (!isOrphan(running)) throw new DataDirectoryInUse(dataDir, running.ownerPid ?? running.pid);
  await stopOrphan(clusterDir, running);
}

/** Nobody listens yet, or the server says that it is starting up (57P03), or it went away while we connected. */
function isNotReady(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return (
    ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P03'].includes(code ?? '') ||
    message === 'Connection terminated unexpectedly'
  );
}
