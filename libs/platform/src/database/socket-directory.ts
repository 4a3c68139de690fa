import { createHash } from 'node:crypto';
import { chown, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryUnusable } from './embedded-postgres.errors';
import type { Account } from './unprivileged';

export const PORT = 5432;
/** The smallest `sun_path` among our systems (macOS: 104 bytes with the closing NUL). */
const LONGEST_SOCKET_PATH = 103;

/**
 * Makes the folder for the server's socket: short, whatever folder the data lies in, and ours alone. Temporary folders
 * are writable by all, so a folder that is already there is used only if nobody else could have laid it out.
 * @param dataDir real path; it names the folder
 * @param account whom the server runs as, when that is not us
 * @throws DataDirectoryUnusable when the folder is somebody else's, a link, or open to others
 */
export async function prepareSocketDirectory(dataDir: string, account?: Account): Promise<string> {
  const path = socketDirectory(dataDir);
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  const mode = found.mode & 0o777;
  const isOurs = found.uid === process.geteuid?.() || found.uid === account?.uid;
  if (!found.isDirectory() || !isOurs || (mode & 0o077) !== 0) {
    throw new DataDirectoryUnusable(
      `${path} should be a folder only this user can enter (mode 0700), but it is ` +
        `${found.isDirectory() ? 'a folder' : 'something else'} of user ${found.uid} with mode 0${mode.toString(8)}. ` +
        'Somebody else may have put it there: find out who, remove it, and start again.',
    );
  }
  if (account && found.uid !== account.uid) await chown(path, account.uid, account.gid);
  return path;
}

function socketDirectory(dataDir: string): string {
  const name = `openclawmu-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`;
  const path = join(tmpdir(), name);
  return Buffer.byteLength(join(path, `.s.PGSQL.${PORT}`)) > LONGEST_SOCKET_PATH ? join('/tmp', name) : path;
}
