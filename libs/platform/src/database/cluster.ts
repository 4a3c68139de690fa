import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Client } from 'pg';
import type { ClusterSecrets } from './cluster-secrets';
import { DataDirectoryUnusable, EmbeddedPostgresFailed } from './embedded-postgres.errors';
import type { PostgresBinaries } from './postgres-binaries';
import { isAlive } from './postmaster';
import { launch, type Launcher } from './unprivileged';

export const DATABASE = 'openclawmu';
export const SUPERUSER = 'openclawmu_admin';
export const OWNER = 'openclawmu_owner';
export const GATEWAY = 'openclawmu_gateway';

/** The major version the bundled programs have; it is part of a data directory's format. */
const MAJOR = '18';
const DRAFT = 'pgdata.draft-';

/** Where PostgreSQL's own files lie. */
export const clusterDirectory = (dataDir: string): string => join(dataDir, 'pgdata');

/**
 * Whether there is a cluster already.
 * @throws DataDirectoryUnusable when it is one of another major version
 */
export async function clusterExists(dataDir: string): Promise<boolean> {
  const version = await readFile(join(clusterDirectory(dataDir), 'PG_VERSION'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
  if (version !== undefined && version.trim() !== MAJOR) {
    throw new DataDirectoryUnusable(
      `${dataDir} was made by PostgreSQL ${version.trim()}, and this is PostgreSQL ${MAJOR}, which cannot read it. ` +
        `Start the release that made it, or run that data under a PostgreSQL ${version.trim()} of your own and set DATABASE_URL.`,
    );
  }
  return version !== undefined;
}

/**
 * Runs initdb beside the final place and moves the finished cluster there, so that a process killed in between leaves no half of one.
 * The builtin C.UTF-8 locale sorts alike on every host and needs none of the host's locales.
 */
export async function createCluster(
  dataDir: string,
  binaries: PostgresBinaries,
  launcher: Launcher,
  password: string,
  durable: boolean,
): Promise<void> {
  await removeAbandonedDrafts(dataDir);
  const draft = join(dataDir, `${DRAFT}${process.pid}-${randomBytes(4).toString('hex')}`);
  const passwordFile = `${draft}.password`;
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (launcher.account) await chown(passwordFile, launcher.account.uid, launcher.account.gid);
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const login = [`--username=${SUPERUSER}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const command = [
    binaries.initdb,
    '-D',
    draft,
    ...locale,
    ...login,
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
  try {
    const initdb = launch(launcher, command, ['ignore', 'ignore', 'pipe']);
    const said: string[] = [];
    if (initdb.stderr) createInterface(initdb.stderr).on('line', (line) => said.push(line));
    const [code] = (await once(initdb, 'close')) as [number | null];
    if (code !== 0) throw new EmbeddedPostgresFailed(`A database could not be made in ${dataDir}`, said.slice(-20));
    await rename(draft, clusterDirectory(dataDir)).catch((error: NodeJS.ErrnoException) => {
      // Another start was quicker; which of the two may run is settled when the server takes its lock.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

/** Creates the two login roles and the database, where they are missing: a first start may have been cut off anywhere. */
export async function ensureRolesAndDatabase(superuser: Client, secrets: ClusterSecrets): Promise<void> {
  const { rows } = await superuser.query<{ name: string }>(
    'select rolname as name from pg_roles where rolname = any($1) union all select datname from pg_database where datname = $2',
    [[OWNER, GATEWAY], DATABASE],
  );
  const existing = new Set(rows.map(({ name }) => name));
  if (existing.size === 3) return;
  // A statement that fails is logged with its text; these hold passwords.
  await superuser.query('set log_min_error_statement = panic');
  if (!existing.has(OWNER)) await superuser.query(`create role ${OWNER} login createrole password '${secrets.owner}'`);
  if (!existing.has(GATEWAY)) {
    await superuser.query(`create role ${GATEWAY} login noinherit password '${secrets.gateway}'`);
  }
  if (!existing.has(DATABASE)) await superuser.query(`create database ${DATABASE} owner ${OWNER}`);
}

async function removeAbandonedDrafts(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const pid = name.startsWith(DRAFT) ? Number.parseInt(name.slice(DRAFT.length), 10) : undefined;
    if (pid !== undefined && !isAlive(pid)) {
      await rm(join(dataDir, name), { recursive: true, force: true });
    }
  }
}
