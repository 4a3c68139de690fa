import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { eventually } from './department';

interface RunningProcess {
  readonly pid: number;
  readonly command: string;
  /** Working folder; empty where the system does not tell. */
  readonly folder: string;
}

/**
 * Fails when a process still runs that works in a test's folder or names it: a gateway that was not stopped, or an embedded
 * server that outlived one. A process that is ending gets a moment to do so.
 */
export async function expectNothingLeft(folder: string): Promise<void> {
  await eventually(
    async () => (await running()).filter((other) => other.folder.startsWith(folder) || other.command.includes(folder)),
    (left) => left.length === 0,
  );
}

const running = (): Promise<RunningProcess[]> => (process.platform === 'linux' ? fromProc() : fromPs());

/** Slim containers have no `ps`. */
async function fromProc(): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = pids.map(async (pid) => {
    // A process may end while it is looked at; one of another user does not show its folder.
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    return { pid: Number(pid), command: command.replaceAll('\0', ' '), folder };
  });
  return (await Promise.all(found)).filter(({ pid }) => pid !== process.pid);
}

async function fromPs(): Promise<RunningProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,command=']);
  return stdout.split('\n').map((line) => ({ pid: Number.parseInt(line, 10), command: line, folder: '' }));
}
