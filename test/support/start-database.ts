import { mkdir, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join, resolve } from 'node:path';
import { EmbeddedPostgres } from '../../libs/platform/src/database/embedded-postgres';
import { offerToTests } from './test-server';

const DISK = resolve(__dirname, '../../.tmp');
const MEMORY = '/dev/shm';
const PREFIX = 'openclawmu-postgres-';
/** A run takes less than a quarter of it at a time. */
const ROOM_BYTES = 4 * 2 ** 30;

/** The server of this test run; kept on the global object, because jest loads setup and teardown apart from each other. */
export interface TestServer {
  readonly postgres: EmbeddedPostgres;
  readonly dataDir: string;
}

declare global {
  var openclawmuTestServer: TestServer | undefined;
}

/** Starts one throw-away server for all workers, which find it through the environment, with our schema to copy; several projects may ask for it. */
export default async function startDatabase(): Promise<void> {
  if (globalThis.openclawmuTestServer) return;
  await mkdir(DISK, { recursive: true });
  for (const place of [DISK, MEMORY]) await removeAbandoned(place);
  const dataDir = await mkdtemp(join((await isRoomInMemory()) ? MEMORY : DISK, `${PREFIX}${process.pid}-`));
  const postgres = await EmbeddedPostgres.start({
    dataDir,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  });
  globalThis.openclawmuTestServer = { postgres, dataDir };
  await offerToTests(postgres);
}

/**
 * A database is a few hundred files, and a run makes and drops hundreds of databases: on a disk the kernel can take as much CPU
 * to find room for files as the tests take for everything else. None of it is meant to last.
 */
async function isRoomInMemory(): Promise<boolean> {
  const { bavail, bsize } = await statfs(MEMORY).catch(() => ({ bavail: 0, bsize: 0 }));
  return Math.min(bavail * bsize, freemem(), process.constrainedMemory() || Infinity) >= ROOM_BYTES;
}

/** The server of a killed run ends by itself; its files do not. */
async function removeAbandoned(place: string): Promise<void> {
  for (const name of await readdir(place).catch(() => [])) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : undefined;
    // In memory there may be another user's.
    if (pid !== undefined && !isAlive(pid)) await rm(join(place, name), { recursive: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
