import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Books } from './books';
import { eventually } from './department';
import type { Place } from './gateway';

const CLI = resolve(__dirname, '../../bin/openclawmu.mjs');

export interface OfflineVerdict {
  readonly ok: boolean;
  readonly records: number;
  readonly checkpoints: number;
  readonly signatures: string;
  readonly fault: unknown;
}

const folderOf = ({ folder }: Place): string => join(folder, 'data/audit');

async function trailFiles(place: Place): Promise<string[]> {
  const names = (await readdir(folderOf(place))).filter((name) => /^audit-.*\.jsonl$/.test(name));
  return names.sort().map((name) => join(folderOf(place), name));
}

/** The exported files, end to end: every byte of them. */
export async function trailText(place: Place): Promise<string> {
  return (await Promise.all((await trailFiles(place)).map((file) => readFile(file, 'utf8')))).join('');
}

/** Waits until the files hold what the table holds, then compares them byte by byte: no gap, no duplicate, no half line. */
export async function expectTrailEqualsTable(place: Place, books: Books): Promise<void> {
  const [text, table] = await eventually(
    async () => [await trailText(place), `${(await books.auditLines()).join('\n')}\n`] as const,
    ([files, lines]) => files.length >= lines.length,
  );
  expect(text).toBe(table);
  const seqs = text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { seq: number }).seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
}

/** What the command line tool says of the files alone, without gateway and database. */
export async function verifyOffline(place: Place): Promise<OfflineVerdict> {
  const key = join(place.folder, 'data/keys/audit-ed25519.pub.pem');
  const checkpoints = join(folderOf(place), 'checkpoints.jsonl');
  const args = ['--json', 'audit', 'verify', '--checkpoints', checkpoints, '--key', key];
  const done = await promisify(execFile)(process.execPath, [CLI, ...args, '--file', ...(await trailFiles(place))]);
  return JSON.parse(done.stdout) as OfflineVerdict;
}
