import type { Database, JobPrincipals, Log } from '@app/platform';
import { Lane } from '../lane';
import type { Meters } from '../meters';
import { type Budgeted, BudgetIndex } from './budget-index';

const RETRY_MS = 1_000;

/** Which budgets there are, as this process knows it: read at the start, at every change, and at the first call of a day. */
export class BudgetDirectory {
  /** An earlier reading must not replace a later one. */
  readonly #lane = new Lane();
  #budgets = BudgetIndex.of([]);
  /** When the day ends in which the last reading of all began. */
  #untilMs = -Infinity;
  /** Whose have changed, as the change feed calls them; `null` stands for all. */
  readonly #stale = new Set<string | null>();
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

  /**
   * Takes in what was committed before the call. Where that fails it is tried again later, and the former state stays.
   * @param whose as the change feed calls them; all if left out
   */
  async catchUp(whose: string | null = null): Promise<void> {
    this.#stale.add(whose);
    this.#following ??= this.follow();
    await this.#following;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#retry) clearTimeout(this.#retry);
  }

  private async read(): Promise<void> {
    const now = this.meters.now();
    this.#budgets = BudgetIndex.of(await this.select(null));
    this.#untilMs = this.meters.dayOf(now).endsAtMs;
  }

  /** Of ten thousand tenants, one has a budget changed now and then: to read those of all each time would keep calls waiting. */
  private async readOf(tenants: readonly string[]): Promise<void> {
    this.#budgets = this.#budgets.with(tenants, await this.select(tenants));
  }

  /** The organisation's too. */
  private select(tenants: readonly string[] | null): Promise<Budgeted[]> {
    return this.database.platform(this.jobs.for('budgets'), (tx) =>
      tx.query(
        `SELECT tenant_id AS "tenantId", scope, target, metric, period FROM budgets
         WHERE $1::text[] IS NULL OR tenant_id IS NULL OR tenant_id = ANY ($1)`,
        [tenants],
      ),
    );
  }

  private async follow(): Promise<void> {
    while (this.#stale.size > 0 && !this.#stopped) {
      const stale = [...this.#stale];
      this.#stale.clear();
      try {
        const tenants = stale.filter((whose) => whose !== null);
        await this.#lane.run(() => (tenants.length < stale.length ? this.read() : this.readOf(tenants)));
      } catch (error) {
        this.log.warn({ err: error }, 'the budgets could not be read; the former ones stay in use');
        this.#retry = setTimeout(() => void this.catchUp(), RETRY_MS).unref();
      }
    }
    this.#following = null;
  }
}
