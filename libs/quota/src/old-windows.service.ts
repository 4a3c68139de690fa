import type { Database, JobPrincipals, Log } from '@app/platform';
import type { Settlements } from './settlements.service';
import { deleteWindows } from './windows.queries';

const HOUR_MS = 3_600_000;
const BATCH = 1_000;

/**
 * Removes windows whose months have left the ledger. Until then they are counted in: rows come late, and are corrected however old
 * they are.
 */
export class OldWindows {
  #timer: NodeJS.Timeout | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  /** Up to where there are none any more, in ms since the epoch. */
  #sweptMs = -Infinity;
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly settlements: Settlements,
    private readonly log: Log,
  ) {}

  start(): void {
    const sweep = (): void => {
      this.#sweeping = this.sweep().catch((error: unknown) =>
        this.log.warn({ err: error }, 'old budget windows could not be removed; trying again in an hour'),
      );
    };
    sweep();
    this.#timer = setInterval(sweep, HOUR_MS).unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#sweeping;
  }

  /** A batch at a time, so that nobody waits for it. @throws CodedError `database_unavailable` */
  private async sweep(): Promise<void> {
    const job = this.jobs.for('old windows');
    const beginning = await this.database.platform(job, (tx) => this.settlements.ledger.beginning(tx));
    if (beginning === null || beginning.getTime() === this.#sweptMs) return;
    let [windows, removed] = [0, 0];
    do {
      removed = await this.database.platform(job, (tx) => deleteWindows(tx, beginning, BATCH));
      windows += removed;
    } while (removed === BATCH && !this.#stopped);
    this.#sweptMs = beginning.getTime();
    if (windows > 0)
      this.log.info({ windows, before: beginning }, 'budget windows of months outside of the ledger were removed');
  }
}
