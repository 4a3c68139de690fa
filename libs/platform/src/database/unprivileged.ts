import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { lchown, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresUnavailable } from './embedded-postgres.errors';

/** A user and group of this system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** A way to run PostgreSQL's programs, which refuse to run as root and should not outlive us. */
export interface Launcher {
  /** The account the programs run as, where that is not our own. */
  readonly account?: Account;
  /** What is put in front of a command. */
  readonly prefix: readonly string[];
}

/**
 * All that PostgreSQL gets to see of our environment, which holds the providers' keys and may hold settings (`PGDATA`) that
 * are meant for another server.
 */
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * SIGINT (a fast, clean shutdown) to PostgreSQL when we die, `kill -9` included. It belongs last in a command,
 * because the kernel forgets it when a process changes its user.
 */
const DIE_WITH_US = ['setpriv', '--pdeathsig', 'INT', '--'];

/** Starts a program of PostgreSQL in a session of its own, so that Ctrl-C reaches us first and we decide when it stops. */
export function launch(launcher: Launcher, command: readonly string[], stdio: StdioOptions): ChildProcess {
  const [file = '', ...args] = [...launcher.prefix, ...command];
  return spawn(file, args, { ...launcher.account, env: ENVIRONMENT, cwd: '/', stdio, detached: true });
}

/**
 * Finds out, by trying, how PostgreSQL can be run here on a data directory.
 *
 * As an ordinary user: as that user. As root: in a user namespace that shows root as an ordinary user, so that files stay
 * root's and folders only root can enter stay reachable; where namespaces are forbidden (many containers), as `postgres`, `nobody` or
 * whoever the folder belongs to, who then gets the data directory.
 * @param dataDir real path of an existing folder
 * @throws EmbeddedPostgresUnavailable when no way works, with what each of them said
 */
export async function chooseLauncher(postgres: string, dataDir: string): Promise<Launcher> {
  const refusals = new Set<string>();
  for (const launcher of await candidates(dataDir)) {
    const refusal = await tryOut(launcher, postgres, dirname(dataDir));
    if (refusal === undefined) return launcher;
    refusals.add(refusal);
  }
  throw new EmbeddedPostgresUnavailable(
    `The embedded PostgreSQL cannot be run here (${[...refusals].join('; ')}). It needs glibc, not musl, and ` +
      'a user other than root who can reach this folder.',
  );
}

/** Gives a data directory, with all that is in it but our secrets, to the account the server runs as. */
export async function handOver(dataDir: string, account: Account, keep: string): Promise<void> {
  if ((await stat(dataDir)).uid === account.uid) return;
  const entries = await readdir(dataDir, { recursive: true });
  // The folder itself comes last: its owner is the mark that all of it was done.
  for (const entry of [...entries.filter((name) => name !== keep), '']) {
    await lchown(join(dataDir, entry), account.uid, account.gid);
  }
}

async function candidates(dataDir: string): Promise<Launcher[]> {
  const identities = process.geteuid?.() === 0 ? await identitiesForRoot(dataDir) : [{ prefix: [] }];
  return identities.flatMap((identity) => [
    { ...identity, prefix: [...identity.prefix, ...DIE_WITH_US] },
    identity, // where setpriv is missing a later start ends the orphan
  ]);
}

async function identitiesForRoot(dataDir: string): Promise<Launcher[]> {
  const users = await readUsers();
  const [postgres, nobody] = ['postgres', 'nobody'].map((name) => users.find((user) => user.name === name));
  const owner = users.find(await owns(dataDir));
  const neighbour = users.find(await owns(dirname(dataDir)));
  // Inside the namespace the user needs a name as well: initdb looks it up.
  const mapped = nobody ?? postgres;
  const namespace = mapped && {
    prefix: ['unshare', '--user', `--map-user=${mapped.uid}`, `--map-group=${mapped.gid}`, '--'],
  };
  const drops = [owner, postgres, nobody, neighbour].flatMap((user) =>
    user === undefined || user.uid === 0 ? [] : [{ prefix: [], account: { uid: user.uid, gid: user.gid } }],
  );
  // A namespace shows us only root's files as our own.
  return namespace && owner?.uid === 0 ? [namespace, ...drops] : drops;
}

interface User extends Account {
  readonly name: string;
}

async function readUsers(): Promise<User[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

async function owns(path: string): Promise<(user: User) => boolean> {
  const { uid } = await stat(path);
  return (user) => user.uid === uid;
}

/** Undefined when the server's program runs and its user can reach the folder; else what went wrong. */
async function tryOut(launcher: Launcher, postgres: string, folder: string): Promise<string | undefined> {
  const command = ['/bin/sh', '-c', 'cd "$0" && exec "$1" --version', folder, postgres];
  const child = launch(launcher, command, ['ignore', 'ignore', 'pipe']);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code === 0 ? undefined : said.trim() || `exit code ${code}`;
  } catch (error) {
    return (error as Error).message;
  }
}
