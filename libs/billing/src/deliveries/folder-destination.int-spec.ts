import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { FolderDestination } from './folder-destination';

/** Only root may mount a file system. */
const testAsRoot = process.getuid?.() === 0 && process.platform === 'linux' ? test : test.skip;

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'openclawmu-folder-'));
});
afterAll(() => rm(place, { recursive: true, force: true }));

const deliverTo = (folder: string): Promise<void> =>
  new FolderDestination(folder).write('usage/bill.csv', Readable.from(['a\r\n']), new AbortController().signal);

test('a file in place of the folder is told', async () => {
  await writeFile(join(place, 'file'), '');
  await expect(deliverTo(join(place, 'file'))).rejects.toThrow(`${join(place, 'file')} is no folder`);
});

testAsRoot('a share that is mounted for reading only is told', async () => {
  const share = join(place, 'share');
  await mkdir(share);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', share]);
  try {
    await expect(deliverTo(share)).rejects.toThrow(/read-only file system/);
  } finally {
    execFileSync('umount', [share]);
  }
});
