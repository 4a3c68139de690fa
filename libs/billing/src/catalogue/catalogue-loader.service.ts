import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ChangeFeed, Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { selectRateCards } from '../rates/rate-cards.queries';
import { Catalogue } from './catalogue.service';
import { selectModels } from './models.queries';

const RETRY_MS = 1_000;

/** Keeps this process's catalogue like the database's: read at start, and again whenever any process changed it. */
@Injectable()
export class CatalogueLoader implements OnModuleDestroy {
  #stale = false;
  #following: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly catalogue: Catalogue,
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly changes: ChangeFeed,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** @throws RateCardAltered, CodedError `database_unavailable`: without prices there is nothing to start for. */
  async start(): Promise<void> {
    const refresh = (): void => this.refresh();
    this.changes.on('catalogue', { changed: refresh, reset: refresh });
    await this.load();
  }

  /** Takes in what was committed before the call. Where that fails, the change feed brings it later. */
  async catchUp(): Promise<void> {
    this.refresh();
    await this.#following;
  }

  onModuleDestroy(): void {
    this.#stopped = true;
    if (this.#retry) clearTimeout(this.#retry);
  }

  private async load(): Promise<void> {
    this.catalogue.replace(
      await this.database.platform(this.jobs.for('catalogue'), async (tx) => ({
        models: await selectModels(tx),
        cards: await selectRateCards(tx),
      })),
    );
  }

  /** Changes that arrive while it reads are read afterwards, together. */
  private refresh(): void {
    this.#stale = true;
    this.#following ??= this.follow().finally(() => (this.#following = null));
  }

  private async follow(): Promise<void> {
    while (this.#stale && !this.#stopped) {
      this.#stale = false;
      try {
        await this.load();
      } catch (error) {
        this.log.error({ err: error }, 'the catalogue could not be read; the former one stays in use');
        this.#retry = setTimeout(() => this.refresh(), RETRY_MS).unref();
      }
    }
  }
}
