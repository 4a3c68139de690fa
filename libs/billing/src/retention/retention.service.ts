import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Config, JobPrincipals, LOG, type Log } from '@app/platform';
import { LedgerMonths } from './ledger-months.service';

const HOUR_MS = 3_600_000;

/** Takes months out of the ledger as soon as they may leave it, if `ledger.retainMonths` says so. */
@Injectable()
export class Retention implements OnApplicationBootstrap, OnModuleDestroy {
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly months: LedgerMonths,
    private readonly config: Config,
    private readonly jobs: JobPrincipals,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.detachAll().catch((error: unknown) =>
        this.log.warn({ err: error }, 'no month could be taken out of the ledger'),
      );
    }, HOUR_MS).unref();
  }

  onModuleDestroy(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Oldest first, each in a transaction of its own. Answers which. */
  async detachAll(): Promise<string[]> {
    if (this.config.current.ledger.retainMonths === null) return [];
    const principal = this.jobs.for('ledger retention');
    const { items } = await this.months.list(principal);
    const detached: string[] = [];
    for (const { month, state } of items.reverse())
      if (state === 'detachable') detached.push((await this.months.detach(principal, month)).month);
    return detached;
  }
}
