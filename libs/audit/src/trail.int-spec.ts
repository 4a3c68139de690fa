import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeChain } from '../fixtures/make-chain';
import { TrailFault } from './audit.errors';
import { readLink } from './chain';
import { Trail } from './trail';

const DAY = 'audit-2026-11-22.jsonl';
const chain = makeChain(4);
const whole = chain.map((line) => `${line}\n`).join('');

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'openclawmu-trail-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const content = (name = DAY) => readFile(join(folder, name), 'utf8');

async function writeOn(lines: readonly string[]): Promise<Trail> {
  const trail = await Trail.open(folder);
  await trail.append(lines.slice(trail.position.seq));
  await trail.close();
  return trail;
}

describe('Trail', () => {
  it('goes on without a gap or a repetition after a crash at any byte', async () => {
    const two = Buffer.from(`${chain[0]}\n${chain[1]}\n`);
    for (let length = 0; length <= two.length; length++) {
      await rm(join(folder, 'cursor.json'), { force: true });
      await writeFile(join(folder, DAY), two.subarray(0, length));
      await writeOn(chain.slice(0, 2));
      if ((await content()) !== two.toString()) throw new Error(`wrong after a crash at byte ${length}`);
    }
  });

  it('does so too when the cursor knows a part', async () => {
    await writeOn(chain.slice(0, 2));
    const known = (await stat(join(folder, DAY))).size;
    const cursor = await content('cursor.json');
    for (let length = known; length <= Buffer.byteLength(whole); length += 11) {
      await writeFile(join(folder, 'cursor.json'), cursor);
      await writeFile(join(folder, DAY), Buffer.from(whole).subarray(0, length));
      await writeOn(chain);
      if ((await content()) !== whole) throw new Error(`wrong after a crash at byte ${length}`);
    }
  });

  it('removes what a power failure left beyond the cursor, newlines or not', async () => {
    await writeOn(chain.slice(0, 2));
    const good = await content();
    await writeFile(join(folder, DAY), `${good}\0\0\0\0\n${chain[3]}\n{"seq"`);
    await writeOn(chain);
    expect(await content()).toBe(whole);
  });

  it('refuses to go on when what was written has changed', async () => {
    await writeOn(chain);
    await writeFile(join(folder, DAY), whole.replace('Name 2', 'Name 9'));
    await expect(Trail.open(folder)).rejects.toThrow(TrailFault);
    expect(await content()).toBe(whole.replace('Name 2', 'Name 9'));
  });

  it('refuses when the last record is another than the one it wrote', async () => {
    await writeOn(chain);
    const other = makeChain(4, '2026-11-22T11:00:00.000Z');
    await writeFile(join(folder, DAY), other.map((line) => `${line}\n`).join(''));
    await expect(Trail.open(folder)).rejects.toThrow('Record 4');
  });

  it('begins a file with each UTC day', async () => {
    const nights = makeChain(4, '2026-11-22T23:58:00.000Z');
    await writeOn(nights);
    expect(await content()).toBe(`${nights[0]}\n${nights[1]}\n`);
    expect(await content('audit-2026-11-23.jsonl')).toBe(`${nights[2]}\n${nights[3]}\n`);
    expect((await stat(join(folder, DAY))).mode & 0o777).toBe(0o640 & ~process.umask());
  });

  it('knows how far it came when the files were moved away', async () => {
    await writeOn(chain.slice(0, 3));
    await rename(join(folder, DAY), join(folder, 'shipped'));
    const trail = await writeOn(chain);
    expect(trail.note).toContain('record 3');
    expect(await content()).toBe(`${chain[3]}\n`);
  });

  it('writes on into a renamed file until it is told to reopen', async () => {
    const trail = await Trail.open(folder);
    await trail.append(chain.slice(0, 1));
    await rename(join(folder, DAY), join(folder, 'rotated'));
    await trail.append(chain.slice(1, 2));
    await trail.close();
    await trail.append(chain.slice(2));
    await trail.close();
    expect((await content('rotated')) + (await content())).toBe(whole);
  });

  it('notices that somebody else wrote, cut or removed the file', async () => {
    for (const meddle of [
      () => writeFile(join(folder, DAY), 'x', { flag: 'a' }),
      () => writeFile(join(folder, DAY), ''),
      () => rm(join(folder, DAY)),
    ]) {
      const trail = await Trail.open(folder);
      await trail.append(chain.slice(trail.position.seq, trail.position.seq + 1));
      expect(await trail.isOurs()).toBe(true);
      await meddle();
      expect(await trail.isOurs()).toBe(false);
      await trail.close();
    }
  });

  it('writes only what follows', async () => {
    const trail = await Trail.open(folder);
    await expect(trail.append([chain[0] as string, chain[2] as string])).rejects.toThrow(TrailFault);
    await trail.close();
    expect(await content()).toBe(`${chain[0]}\n`);
    expect(trail.position).toEqual({ seq: 1, hash: readLink(chain[0] as string)?.hash });
    expect(await readdir(folder)).toEqual([DAY, 'cursor.json']);
  });
});
