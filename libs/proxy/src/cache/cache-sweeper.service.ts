import { Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { deleteExpired } from './answers.queries';

const SWEEP_MS = 60_000;
const BATCH = 1_000;

/** Removes answers that are over their time. They are not given any more, swept or not. */
@Injectable()
export class CacheSweeper implements OnApplicationBootstrap, OnModuleDestroy {
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.sweep().catch((error: unknown) => this.log.warn({ err: error }, 'old answers could not be removed'));
    }, SWEEP_MS).unref();
  }

  onModuleDestroy(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** A batch at a time, so that nobody waits for it. */
  async sweep(): Promise<void> {
    const principal = this.jobs.for('response cache');
    while ((await this.database.platform(principal, (tx) => deleteExpired(tx, BATCH))) === BATCH);
  }
}
