import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgres, type Log } from '@app/platform';

const RETRY_MS = 1_000;

/** The gateway's own PostgreSQL, brought back if it ends while it is needed: nobody else would. */
export class OwnPostgres {
  #stopping = false;

  private constructor(
    private readonly dataDir: string,
    private readonly log: Log,
    private server: EmbeddedPostgres,
  ) {}

  static async start(dataDir: string, log: Log): Promise<OwnPostgres> {
    const own = new OwnPostgres(dataDir, log, await run(dataDir, log));
    void own.watch();
    return own;
  }

  /** The same for as long as the data directory lives. */
  get urls(): { readonly ownerUrl: string; readonly gatewayUrl: string } {
    return this.server;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.server.stop();
  }

  private async watch(): Promise<void> {
    for (;;) {
      await this.server.ended;
      if (this.#stopping) return;
      this.log.error('the embedded PostgreSQL has ended; starting it again');
      try {
        this.server = await run(this.dataDir, this.log);
        this.log.info('the embedded PostgreSQL is back');
      } catch (error) {
        this.log.error({ err: error }, 'the embedded PostgreSQL does not start; trying again');
        await delay(RETRY_MS);
      }
    }
  }
}

const run = (dataDir: string, log: Log): Promise<EmbeddedPostgres> =>
  EmbeddedPostgres.start({ dataDir, log: (line) => log.debug({ postgres: line }) });
