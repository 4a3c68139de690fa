import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EmbeddedPostgres } from '../../libs/platform/src/database/embedded-postgres';
import { offerToTests } from './test-server';

const TMP = resolve(__dirname, '../../.tmp');
const PREFIX = 'postgres-';

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
  await mkdir(TMP, { recursive: true });
  await removeAbandoned();
  const dataDir = await mkdtemp(join(TMP, `${PREFIX}${process.pid}-`));
  const postgres = await EmbeddedPostgres.start({
    dataDir,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  });
  globalThis.openclawmuTestServer = { postgres, dataDir };
  await offerToTests(postgres);
}

/** The server of a killed run ends by itself; its files do not. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(TMP)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : undefined;
    if (pid !== undefined && !isAlive(pid)) await rm(join(TMP, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
