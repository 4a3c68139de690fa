import { currentLease, Pool } from './pool';
import type { BudgetDirectory } from './scopes/budget-directory.service';
import type { BudgetIndex, Counted } from './scopes/budget-index';
import type { Call } from './scopes/scope';

/** Callers whose pools are remembered. */
const MOST_CALLS = 10_000;

/** This process's pools: one for each owner of budgets that calls have counted in lately. */
export class Pools {
  readonly #pools = new Map<string, Pool>();
  /** The next call by the same caller is the same object. */
  readonly #ofCalls = new Map<Call, readonly Pool[]>();
  #budgets: BudgetIndex;

  constructor(private readonly directory: BudgetDirectory) {
    this.#budgets = directory.current;
  }

  /** All from which a call takes, narrow before wide; none where nothing limits it. */
  of(call: Call): readonly Pool[] {
    if (this.#budgets !== this.directory.current) {
      this.#budgets = this.directory.current;
      this.#ofCalls.clear();
    }
    // One that fails over is an object of its own.
    if (call.otherModels !== undefined) return this.find(call);
    const known = this.#ofCalls.get(call);
    if (known !== undefined) return known;
    const pools = this.find(call);
    if (this.#ofCalls.size === MOST_CALLS) this.#ofCalls.clear();
    this.#ofCalls.set(call, pools);
    return pools;
  }

  get all(): readonly Pool[] {
    return [...this.#pools.values()];
  }

  /** Those that have something to give back: nobody has used it lately, or nobody can. */
  idleAt(nowMs: number): readonly Pool[] {
    return this.all.filter(
      ({ usedAtMs, patienceMs, hasPast, uncertain }) => Math.abs(nowMs - usedAtMs) > patienceMs || hasPast || uncertain,
    );
  }

  /** The one that has leased of a window under way. */
  leasing(windowId: bigint): Pool | undefined {
    return this.all.find((pool) => currentLease(pool, windowId) !== undefined);
  }

  /** The one where requests wait that found no room, if a window is among those that they count in. */
  stalledBy(windowId: bigint): Pool | undefined {
    return this.all.find(({ stalled }) => stalled?.windows.some(({ id }) => id === windowId));
  }

  /** Whether it has not been forgotten; another may have come in its place since. */
  has(pool: Pool): boolean {
    return this.#pools.get(pool.key) === pool;
  }

  /** Only of a pool that is there and idle: of one owner there must never be two, each of which takes itself for the only one. */
  forget(pool: Pool): void {
    this.#pools.delete(pool.key);
    this.#ofCalls.clear();
  }

  private find(call: Call): readonly Pool[] {
    return this.#budgets.ofCall(call).map((counted) => this.counted(counted));
  }

  private counted({ key, owner, meters }: Counted): Pool {
    let pool = this.#pools.get(key);
    if (pool === undefined) this.#pools.set(key, (pool = new Pool(key, owner, meters)));
    pool.meters = meters;
    return pool;
  }
}
