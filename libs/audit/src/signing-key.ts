import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyIdOf, type SigningKey } from './checkpoint';

const PRIVATE = 'audit-ed25519.pem';
const PUBLIC = 'audit-ed25519.pub.pem';

const folderOf = (dataDir: string): string => join(dataDir, 'keys');

/**
 * Opens the key that signs checkpoints; the first time makes it, with the public half beside it for whoever verifies.
 * Of two processes that make one at the same time both get the one that was there first.
 */
export async function openSigningKey(dataDir: string): Promise<SigningKey> {
  const folder = folderOf(dataDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, PRIVATE);
  const pem = (await readIfThere(path)) ?? (await createKey(folder, path));
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  await writeFile(join(folder, PUBLIC), publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 });
  return { id: keyIdOf(publicKey), privateKey, publicKey };
}

/** The public half, or `null` if nothing was ever signed here. */
export async function readPublicKey(dataDir: string): Promise<KeyObject | null> {
  const pem = await readIfThere(join(folderOf(dataDir), PUBLIC));
  return pem === null ? null : createPublicKey(pem);
}

async function createKey(folder: string, path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const draft = join(folder, `.${PRIVATE}.${process.pid}`);
  await writeFile(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true });
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(path, 'utf8');
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
