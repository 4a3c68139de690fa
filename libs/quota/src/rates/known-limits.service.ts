import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ChangeFeed, Database, JobPrincipals, LOG, type Log } from '@app/platform';
import type { TenantLimitsView } from './tenant-limits.dto';
import { readAllLimits } from './tenant-limits.queries';

const RETRY_MS = 250;

/** The limits of all tenants in memory, so that a request asks nobody. */
@Injectable()
export class KnownLimits implements OnModuleInit, OnApplicationShutdown {
  #limits: ReadonlyMap<string, TenantLimitsView> = new Map();
  #stale = false;
  #reading = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly changes: ChangeFeed,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** @throws CodedError `database_unavailable`: without limits nobody may be let in */
  async onModuleInit(): Promise<void> {
    const again = (): void => {
      this.#stale = true;
      void this.refresh();
    };
    this.changes.on('limits', { changed: again, reset: again });
    await this.read();
  }

  onApplicationShutdown(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** `undefined` for a tenant without limits. */
  of(tenantId: string): TenantLimitsView | undefined {
    return this.#limits.get(tenantId);
  }

  private async refresh(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#stale) {
        this.#stale = false;
        await this.read();
      }
    } catch (error) {
      this.#stale = true;
      this.log.warn({ err: error }, 'changed request limits could not be read yet');
      this.#timer = setTimeout(() => void this.refresh(), RETRY_MS).unref();
    }
    this.#reading = false;
  }

  private async read(): Promise<void> {
    this.#limits = await this.database.platform(this.jobs.for('limits'), readAllLimits);
  }
}
