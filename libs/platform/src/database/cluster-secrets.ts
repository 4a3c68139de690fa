import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataDirectoryUnusable } from './embedded-postgres.errors';

/** Passwords of the embedded server's roles: hexadecimal, so they need no quoting in SQL or in a URL. */
export interface ClusterSecrets {
  readonly superuser: string;
  readonly owner: string;
  readonly gateway: string;
}

export const SECRETS_FILE = 'secrets.json';

/** Reads the passwords of an existing cluster. */
export async function readSecrets(dataDir: string): Promise<ClusterSecrets> {
  const path = join(dataDir, SECRETS_FILE);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ClusterSecrets;
  } catch (error) {
    throw new DataDirectoryUnusable(
      `The passwords of the database in ${dataDir} cannot be read (${(error as Error).message}). ` +
        `Put ${path} back from the same backup as the data.`,
    );
  }
}

/** Makes passwords for a new cluster, once: of two processes that try at the same time, both get what the first one wrote. */
export async function createSecrets(dataDir: string): Promise<ClusterSecrets> {
  const password = () => randomBytes(24).toString('hex');
  const draft = join(dataDir, `.${SECRETS_FILE}.${randomBytes(4).toString('hex')}`);
  const secrets: ClusterSecrets = { superuser: password(), owner: password(), gateway: password() };
  await writeFile(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  try {
    await link(draft, join(dataDir, SECRETS_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readSecrets(dataDir);
}
