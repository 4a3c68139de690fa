import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answers, LivenessSocket, socketFolder } from './liveness-socket';

const ids = ['01a2030e-5eb2-7f69-8195-159930fe3194', '01a2030e-5eb2-7f69-8195-159930fe3195'] as const;
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'liveness-'));
});
afterEach(() => rmdir(dataDir));

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

describe('the socket of a process', () => {
  it('leaves nothing behind, and nobody without theirs', async () => {
    const [one, other] = ids.map((id) => new LivenessSocket(dataDir, id)) as [LivenessSocket, LivenessSocket];
    await one.listen();
    await other.listen();
    await one.close();
    expect(await answers(dataDir, ids[0])).toBe(false);
    expect(await answers(dataDir, ids[1])).toBe(true);
    await other.close();
    expect(await isThere(socketFolder(dataDir))).toBe(false);
  });

  it('finds its folder again while others come and go', async () => {
    const coming = async (id: string): Promise<void> => {
      const socket = new LivenessSocket(dataDir, id);
      await socket.listen();
      expect(await answers(dataDir, id)).toBe(true);
      await socket.close();
    };
    for (let n = 0; n < 50; n++) await Promise.all(ids.map(coming));
    expect(await isThere(socketFolder(dataDir))).toBe(false);
  });

  it('refuses a folder that others can enter, and says what to do', async () => {
    await mkdir(socketFolder(dataDir));
    await chmod(socketFolder(dataDir), 0o755);
    await expect(new LivenessSocket(dataDir, ids[0]).listen()).rejects.toMatchObject({
      name: 'DataDirectoryUnusable',
      message: expect.stringContaining('with mode 0755') as string,
    });
    await rmdir(socketFolder(dataDir));
  });
});
