import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Destination } from './destination';

const PART = '.part';

/** A folder of this machine, or a share that is mounted there. */
export class FolderDestination implements Destination {
  constructor(private readonly root: string) {}

  async write(path: string, chunks: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
    await requireFolder(this.root);
    const file = join(this.root, path);
    const folder = dirname(file);
    await mkdir(folder, { recursive: true });
    await removeAbandoned(folder, basename(file));
    // In the same folder, because a rename is atomic only inside a file system.
    const part = join(folder, `.${basename(file)}.${randomUUID()}${PART}`);
    try {
      await writeSynced(part, chunks, signal);
      await rename(part, file);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
    for (let each = folder; each.length >= this.root.length; each = dirname(each)) {
      await syncFolder(each);
      if (each === dirname(each)) break;
    }
  }
}

/** It is never made here: where a share is not mounted there is a folder missing, and nobody would look for bills in another. */
async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(`${folder} does not exist: make the folder, or mount what it is a share of`);
  });
  if (!found.isDirectory()) throw new Error(`${folder} is no folder`);
  // Of a new folder in one that can only be read, Node.js says that there is no such file.
  await access(folder, constants.W_OK);
}

/** What a killed process has left of the same file. One that was only slow finds its file gone and fails. */
async function removeAbandoned(folder: string, name: string): Promise<void> {
  const left = (await readdir(folder)).filter((each) => each.startsWith(`.${name}.`) && each.endsWith(PART));
  for (const each of left) await rm(join(folder, each), { force: true });
}

async function writeSynced(file: string, chunks: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  const handle = await open(file, 'wx', 0o640);
  try {
    // Each goes where the one before ended.
    for await (const chunk of chunks) await handle.writeFile(chunk, { signal });
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** So that the new names outlive a power cut too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
