import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock, Database, JobPrincipals, LOG, type Log, type Tx } from '@app/platform';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MONTHS_AHEAD = 2;

/** Counts months, in UTC as the partitions are. */
const monthOf = (at: Date): number => at.getUTCFullYear() * 12 + at.getUTCMonth();

/** Sees to it that the ledger has a partition for every month before its first row arrives. */
@Injectable()
export class LedgerPartitions implements OnModuleDestroy {
  /** Months whose partition is committed. */
  readonly #present = new Set<number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly clock: Clock,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async start(): Promise<void> {
    await this.ensureAhead();
    this.#timer = setInterval(() => {
      this.ensureAhead().catch((error: unknown) =>
        this.log.warn({ err: error }, 'the ledger partitions of the coming months could not be prepared'),
      );
    }, HOUR_MS).unref();
  }

  onModuleDestroy(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Prepares this month and the next two. */
  async ensureAhead(): Promise<void> {
    const now = this.clock.now();
    const months = Array.from(
      { length: MONTHS_AHEAD + 1 },
      (_, ahead) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead)),
    );
    await this.database.platform(this.jobs.for('ledger partitions'), async (tx) => {
      for (const month of months) await ensure(tx, month);
    });
    for (const month of months) this.#present.add(monthOf(month));
  }

  /** For rows of other months, such as those of a journal found late: in the transaction that books them. */
  async ensureFor(tx: Tx, timesMs: readonly number[]): Promise<void> {
    const missing = new Map<number, Date>();
    // Rows of a batch are mostly of one day, in UTC as months are.
    for (const day of new Set(timesMs.map((atMs) => Math.floor(atMs / DAY_MS)))) {
      const at = new Date(day * DAY_MS);
      if (!this.#present.has(monthOf(at))) missing.set(monthOf(at), at);
    }
    for (const at of missing.values()) await ensure(tx, at);
  }
}

const ensure = (tx: Tx, at: Date): Promise<unknown> =>
  tx.query('SELECT ensure_ledger_partition($1)', [at.toISOString()]);
