import type { Clock, Database, JobPrincipals, Log } from '@app/platform';
import { Lane } from '../lane';
import { type ScopedBudget, ScopedBudgets } from './scoped-budgets';

const RETRY_MS = 1_000;

/** Which budgets there are beside those of whole tenants, as this process knows it: read at start, and again at every change. */
export class BudgetDirectory {
  /** An earlier reading must not replace a later one. */
  readonly #lane = new Lane();
  #budgets = new ScopedBudgets([]);
  /** When the last reading began. */
  #readAtMs = -Infinity;
  #stale = false;
  #following: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** Another object after every reading. */
  get current(): ScopedBudgets {
    return this.#budgets;
  }

  /** @throws CodedError `database_unavailable`: calls must not be let through unlimited because nobody knows their budgets. */
  load(): Promise<void> {
    return this.#lane.run(() => this.read());
  }

  /** Knows from here on all budgets that were set before that moment, whatever was not heard of. @throws CodedError `database_unavailable` */
  async readSince(ms: number): Promise<void> {
    if (this.#readAtMs < ms) await this.#lane.run(async () => void (this.#readAtMs < ms && (await this.read())));
  }

  /** Takes in what was committed before the call. Where that fails it is tried again later, and the former state stays. */
  async catchUp(): Promise<void> {
    this.#stale = true;
    this.#following ??= this.follow();
    await this.#following;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#retry) clearTimeout(this.#retry);
  }

  private async read(): Promise<void> {
    const readAtMs = this.clock.nowMs();
    const budgets = await this.database.platform(this.jobs.for('budgets'), (tx) =>
      tx.query<ScopedBudget>(
        `SELECT tenant_id AS "tenantId", scope, target, metric, period FROM budgets WHERE scope <> 'tenant'`,
      ),
    );
    this.#budgets = new ScopedBudgets(budgets);
    this.#readAtMs = readAtMs;
  }

  private async follow(): Promise<void> {
    while (this.#stale && !this.#stopped) {
      this.#stale = false;
      try {
        await this.load();
      } catch (error) {
        this.log.warn({ err: error }, 'the budgets could not be read; the former ones stay in use');
        this.#retry = setTimeout(() => void this.catchUp(), RETRY_MS).unref();
      }
    }
    this.#following = null;
  }
}
