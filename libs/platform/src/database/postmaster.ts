import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A running server, as the system's process table shows it. */
export interface Postmaster {
  readonly pid: number;
  readonly parentPid: number;
  /** The process that started it, from its command line; undefined when it was not one of ours. */
  readonly ownerPid: number | undefined;
}

const OWNER = 'openclawmu.owner_pid';
/** How long an orderly shutdown may take before it is cut short. */
export const STOP_TIMEOUT_MS = 30_000;
/** No system counts process ids this far. */
const NOBODYS_PID = 2_147_483_647;

/** The server setting by which a later start recognises whose child a server was. */
export const ownedBy = (pid: number): string => `${OWNER}=${pid}`;

/**
 * The server that runs on a data directory, if any. Asked of the process table and not only of the lock file: a lock file
 * outlives `kill -9`, and in a container its process id is soon somebody else's.
 * @param clusterDir absolute and free of symbolic links
 */
export async function findPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  return serverOf(join(clusterDir, 'postmaster.pid'), clusterDir);
}

/** A server whose starter has died gets a new parent from the kernel: nobody uses it, though it lives. */
export const isOrphan = ({ ownerPid, parentPid }: Postmaster): boolean =>
  ownerPid !== undefined && ownerPid !== parentPid;

/**
 * Ends an orphan: clients are cut off, transactions rolled back, a checkpoint written; resolves when it is gone.
 * One that has not managed this in time is ended without the checkpoint, which the next start makes good.
 */
export async function stopOrphan(clusterDir: string, orphan: Postmaster): Promise<void> {
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  signal(orphan.pid, 'SIGINT');
  while ((await findPostmaster(clusterDir))?.pid === orphan.pid) {
    if (Date.now() > deadline) signal(orphan.pid, 'SIGQUIT');
    await delay(10);
  }
}

/**
 * PostgreSQL refuses to start while the process id in a lock file is alive, whoever has it now. Where that is not a server on
 * this data directory, the id is replaced by an impossible one. The file itself stays, because from its other lines PostgreSQL
 * finds out whether a backend of the dead server still holds the shared memory.
 */
export async function disownStaleLock(lockFile: string, clusterDir: string): Promise<void> {
  const pid = await lockHolder(lockFile);
  if (pid === undefined || !isAlive(pid) || (await serverOf(lockFile, clusterDir))) return;
  const [, ...rest] = (await readFile(lockFile, 'utf8')).split('\n');
  await writeFile(lockFile, [NOBODYS_PID, ...rest].join('\n'));
}

async function serverOf(lockFile: string, clusterDir: string): Promise<Postmaster | undefined> {
  const pid = await lockHolder(lockFile);
  const found = pid === undefined ? undefined : await inspect(pid);
  if (pid === undefined || !found?.commandLine.includes(`-D ${clusterDir} `)) return undefined;
  const owner = new RegExp(`${OWNER}=(\\d+)`).exec(found.commandLine)?.[1];
  return { pid, parentPid: found.parentPid, ownerPid: owner === undefined ? undefined : Number(owner) };
}

async function lockHolder(lockFile: string): Promise<number | undefined> {
  const text = await readFile(lockFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const pid = Number.parseInt(text, 10);
  return pid > 0 ? pid : undefined;
}

async function inspect(pid: number): Promise<{ parentPid: number; commandLine: string } | undefined> {
  try {
    if (process.platform !== 'linux') {
      const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'ppid=,args=', '-p', String(pid)]);
      const [, parent, commandLine] = /^\s*(\d+)\s+(.*)$/.exec(stdout.trim()) ?? [];
      return parent && commandLine ? { parentPid: Number(parent), commandLine } : undefined;
    }
    const [stat, argv] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The second field is the program's name in parentheses and may itself contain spaces and parentheses.
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parentPid: Number(parent), commandLine: argv.replaceAll('\0', ' ') };
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  try {
    return signal(pid, 0);
  } catch {
    return true;
  }
}

/** False when there is no such process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
