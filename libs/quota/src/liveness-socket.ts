import { createHash } from 'node:crypto';
import { lstat, mkdir, rm, rmdir } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryUnusable } from '@app/platform';

/** The smallest `sun_path` among our systems (macOS: 104 bytes with the closing NUL). */
const LONGEST_SOCKET_PATH = 103;
/** More often than others can stop just then. */
const ATTEMPTS = 10;
const SOCKET_NAME_LENGTH = '/'.length + 32 + '.sock'.length;

/**
 * A socket that somebody answers as long as the process lives: the kernel closes it at whatever end, and keeps it for a
 * process that is only slow or stopped.
 */
export class LivenessSocket {
  #server: Server | null = null;

  constructor(
    private readonly dataDir: string,
    private readonly processId: string,
  ) {}

  /** @throws DataDirectoryUnusable when the folder for sockets is not ours alone */
  async listen(): Promise<void> {
    const path = socketPath(this.dataDir, this.processId);
    for (let left = ATTEMPTS; ; left--) {
      try {
        await prepareFolder(socketFolder(this.dataDir));
        return await this.listenAt(path);
      } catch (error) {
        // Whoever was the last one there took the folder along just now. (libuv calls a missing folder EACCES.)
        if (left === 0 || !['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    }
  }

  /** Takes the folder along if nobody else is in it: another user's gateway could not start beside it. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    await new Promise((resolve) => server.close(resolve));
    await rmdir(socketFolder(this.dataDir)).catch(() => undefined);
  }

  private async listenAt(path: string): Promise<void> {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    server.unref();
    this.#server = server;
  }
}

/** Whether a process on this machine answers. */
export function answers(dataDir: string, processId: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(dataDir, processId));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Nobody there, or no socket at all. Any other failure proves nothing, so the process counts as alive.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

/** Removes what a dead process has left. */
export const removeSocket = (dataDir: string, processId: string): Promise<void> =>
  rm(socketPath(dataDir, processId), { force: true });

/** Where the processes of a data directory have their sockets. */
export function socketFolder(dataDir: string): string {
  const name = `openclawmu-live-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`;
  const path = join(tmpdir(), name);
  return Buffer.byteLength(path) + SOCKET_NAME_LENGTH > LONGEST_SOCKET_PATH ? join('/tmp', name) : path;
}

const socketPath = (dataDir: string, processId: string): string =>
  join(socketFolder(dataDir), `${processId.replaceAll('-', '')}.sock`);

async function prepareFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== process.geteuid?.() || (found.mode & 0o077) !== 0)
    throw new DataDirectoryUnusable(
      `${path} should be a folder that only this user can enter (mode 0700), but it is of user ${found.uid} with mode ` +
        `0${(found.mode & 0o777).toString(8)}. A gateway may have been started here as somebody else: find out, remove it, and start again.`,
    );
}
