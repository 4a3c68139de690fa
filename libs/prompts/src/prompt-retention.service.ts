import { Clock, Config, Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { TenantLifecycle } from '@app/tenancy';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { deletePromptsBefore, deletePromptsOf } from './prompts.queries';

const DAY_MS = 86_400_000;
const EVERY_MS = 3_600_000;

/** Deletes entries whose time is over, by days of UTC, also where nothing new is kept. */
@Injectable()
export class PromptRetention implements OnModuleInit, OnApplicationShutdown {
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly config: Config,
    private readonly db: Database,
    private readonly jobs: JobPrincipals,
    private readonly clock: Clock,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onModuleInit(): void {
    void this.run();
    this.#timer = setInterval(() => void this.run(), EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** An entry stays for the given number of whole days after its own. Resolves to how many were deleted. */
  async expire(): Promise<number> {
    const { retentionDays } = this.config.current.promptLog;
    const today = Math.floor(this.clock.now().getTime() / DAY_MS);
    const day = new Date((today - retentionDays) * DAY_MS);
    return this.db.platform(this.jobs.for('prompt retention'), (tx) => deletePromptsBefore(tx, day));
  }

  private async run(): Promise<void> {
    try {
      const entries = await this.expire();
      if (entries > 0) this.log.info({ entries }, 'entries of the prompt log were deleted, because their time is over');
    } catch (error) {
      this.log.warn({ err: error }, 'the prompt log could not be rid of what is too old; trying again in an hour');
    }
  }
}

/** What a tenant's people wrote goes with it. */
export function forgetDeletedTenants(lifecycle: TenantLifecycle): void {
  lifecycle.register({ name: 'prompts', onDelete: deletePromptsOf });
}
