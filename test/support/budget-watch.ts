import { Books } from './books';
import type { Department } from './department';
import type { Gateway } from './gateway';

/** What a watch has seen. */
export interface Watched {
  /** Instants at which more was spent and held than the limit allows. There must be none. */
  readonly overdrawn: readonly string[];
  /** The monthly limits seen, in nano-units. */
  readonly limits: readonly bigint[];
  /** Whether the watch has looked while calls were under way, so that an empty `overdrawn` says something. */
  readonly sampled: boolean;
}

/** Looks at a department's month without pause, in the database and through the API, until it is stopped. */
export class BudgetWatch {
  private readonly overdrawn: string[] = [];
  private readonly limits = new Set<bigint>();
  private busySamples = 0;
  private stopping = false;

  private constructor(
    private readonly books: Books,
    private readonly gateway: Gateway,
    private readonly department: Department,
  ) {}

  static async start(gateway: Gateway, department: Department): Promise<BudgetWatch> {
    const watch = new BudgetWatch(await Books.open(gateway.place.database), gateway, department);
    watch.running = Promise.all([watch.database(), watch.api()]);
    return watch;
  }

  private running: Promise<unknown> = Promise.resolve();

  async stop(): Promise<Watched> {
    this.stopping = true;
    await this.running;
    await this.books.close();
    const { overdrawn, limits, busySamples } = this;
    return { overdrawn, limits: [...limits], sampled: busySamples > 0 };
  }

  private async database(): Promise<void> {
    while (!this.stopping) {
      for (const { period, limit, spent, leased } of await this.books.windows(this.department.id)) {
        if (period !== 'month' || limit === null) continue;
        this.limits.add(limit);
        if (leased > 0n) this.busySamples++;
        if (spent + leased > limit) this.overdrawn.push(`database: ${spent} spent, ${leased} leased, limit ${limit}`);
      }
      await new Promise((later) => setTimeout(later, 5));
    }
  }

  private async api(): Promise<void> {
    while (!this.stopping) {
      const { items } = await this.gateway.must<{ items: Record<string, string | null>[] }>(
        'GET',
        '/api/v1/tenant/budgets',
        undefined,
        this.department.token,
      );
      for (const { limit, spent, held } of items) {
        if (limit === null) continue;
        const used = Number(spent) + Number(held);
        if (used > Number(limit) + Number.EPSILON * used) this.overdrawn.push(`API: ${spent} + ${held} of ${limit}`);
      }
      await new Promise((later) => setTimeout(later, 50));
    }
  }
}
