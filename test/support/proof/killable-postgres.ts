import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterDirectory } from '../../../libs/platform/src/database/cluster';
import { EmbeddedPostgres } from '../../../libs/platform/src/database/embedded-postgres';
import { findPostmaster } from '../../../libs/platform/src/database/postmaster';
import type { TestDatabase } from '../database';
import { eventually } from '../department';

/** A database server of one's own that can be killed and brought back. What is committed outlives its process. */
export class KillablePostgres {
  private constructor(
    readonly dataDir: string,
    private server: EmbeddedPostgres,
  ) {}

  /** @param keptFrom ways of its planner, see `PLANS` */
  static async start(keptFrom: readonly string[] = []): Promise<KillablePostgres> {
    const dataDir = await mkdtemp(join(tmpdir(), 'openclawmu-postgres-'));
    return new KillablePostgres(dataDir, await launch(dataDir, keptFrom));
  }

  get database(): TestDatabase {
    const { ownerUrl, gatewayUrl } = this.server;
    const superuserUrl = this.server.url('superuser');
    return { name: 'openclawmu', ownerUrl, gatewayUrl, superuserUrl, drop: () => Promise.resolve() };
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    const server = await findPostmaster(clusterDirectory(this.dataDir));
    if (!server) throw new Error('there is no server to be killed');
    process.kill(server.pid, 'SIGKILL');
    await eventually(async () => (await findPostmaster(clusterDirectory(this.dataDir))) === undefined);
  }

  async comeBack(keptFrom: readonly string[] = []): Promise<void> {
    await this.server.stop();
    this.server = await launch(this.dataDir, keptFrom);
  }

  async remove(): Promise<void> {
    await this.server.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

const launch = (dataDir: string, keptFrom: readonly string[]): Promise<EmbeddedPostgres> =>
  EmbeddedPostgres.start({
    dataDir,
    settings: {
      fsync: 'off',
      full_page_writes: 'off',
      max_connections: '200',
      ...Object.fromEntries(keptFrom.map((way) => [`enable_${way}`, 'off'])),
    },
  });
