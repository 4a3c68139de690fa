import type { Database, JobPrincipals, Log } from '@app/platform';
import { Lane } from '../lane';
import type { Meters } from '../meters';
import { type Budgeted, BudgetIndex } from './budget-index';

const RETRY_MS = 1_000;

/** Which budgets there are, as this process knows it: read at the start, at every change, and at the first call of a day. */
export class BudgetDirectory {
  /** An earlier reading must not replace a later one. */
  readonly #lane = new Lane();
  #budgets = new BudgetIndex([]);
  /** When the day ends in which the last reading began. */
  #untilMs = -Infinity;
  #stale = false;
  #following: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly log: Log,
    private readonly meters: Meters,
  ) {}

  /** Another object after every reading. */
  get current(): BudgetIndex {
    return this.#budgets;
  }

  /** @throws CodedError `database_unavailable`: calls must not be let through unlimited because nobody knows their budgets. */
  load(): Promise<void> {
    return this.#lane.run(() => this.read());
  }

  /** Whether it knows all budgets that were set before the day of that instant began, whatever was not heard of. */
  knows(atMs: number): boolean {
    return atMs < this.#untilMs;
  }

  /** Knows them from here on. @throws CodedError `database_unavailable` */
  async readFor(atMs: number): Promise<void> {
    if (!this.knows(atMs)) await this.#lane.run(async () => void (this.knows(atMs) || (await this.read())));
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
    const now = this.meters.now();
    const budgets = await this.database.platform(this.jobs.for('budgets'), (tx) =>
      tx.query<Budgeted>('SELECT tenant_id AS "tenantId", scope, target, metric, period FROM budgets'),
    );
    this.#budgets = new BudgetIndex(budgets);
    this.#untilMs = this.meters.dayOf(now).endsAtMs;
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
