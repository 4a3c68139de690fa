import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Position } from './chain';

/** How far the export had come when it last reached the disk: a second witness beside the files themselves. */
export interface TrailCursor extends Position {
  /** Name of the newest file. */
  readonly file: string;
  /** Its length in bytes. */
  readonly size: number;
}

const FILE = 'cursor.json';

/** `null` when there is none, or none that can be read: the files then speak for themselves. */
export async function readCursor(folder: string): Promise<TrailCursor | null> {
  try {
    const { file, size, seq, hash } = JSON.parse(await readFile(join(folder, FILE), 'utf8')) as TrailCursor;
    return Number.isSafeInteger(seq) && Number.isSafeInteger(size) ? { file, size, seq, hash } : null;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Replaces the cursor as a whole, so that a crash leaves the old one or the new one. */
export async function writeCursor(folder: string, cursor: TrailCursor): Promise<void> {
  const path = join(folder, FILE);
  const draft = await open(`${path}.new`, 'w', 0o640);
  try {
    await draft.writeFile(`${JSON.stringify(cursor)}\n`);
    await draft.datasync();
  } finally {
    await draft.close();
  }
  await rename(`${path}.new`, path);
}
