import { currentLease, Pool } from './pool';
import type { BudgetDirectory } from './scopes/budget-directory.service';
import { type Call, tenantOwner } from './scopes/scope';
import type { Counted, ScopedBudgets } from './scopes/scoped-budgets';
import { METERS } from './windows';

/** Callers whose pools are remembered. */
const MOST_CALLS = 10_000;

/** This process's pools: one for each owner of budgets that calls have counted in lately. */
export class Pools {
  readonly #pools = new Map<string, Pool>();
  /** Of calls that count in more than their tenants' budgets. The next one by the same caller is the same object. */
  readonly #ofCalls = new Map<Call, readonly Pool[]>();
  #budgets: ScopedBudgets;

  constructor(private readonly directory: BudgetDirectory) {
    this.#budgets = directory.current;
  }

  /** All from which a call takes, narrow before wide: whoever is over a budget of its own is told of that one. */
  of(call: Call): readonly Pool[] {
    if (this.#budgets !== this.directory.current) {
      this.#budgets = this.directory.current;
      this.#ofCalls.clear();
    }
    if (!this.#budgets.isScoped(call)) return [this.tenant(call.tenantId)];
    const known = this.#ofCalls.get(call);
    if (known !== undefined) return known;
    const pools = this.find(call);
    // One that fails over is an object of its own.
    if (call.otherModels !== undefined) return pools;
    if (this.#ofCalls.size === MOST_CALLS) this.#ofCalls.clear();
    this.#ofCalls.set(call, pools);
    return pools;
  }

  tenant(tenantId: string): Pool {
    let pool = this.#pools.get(tenantId);
    if (pool === undefined) this.#pools.set(tenantId, (pool = new Pool(tenantId, tenantOwner(tenantId), METERS)));
    return pool;
  }

  get all(): readonly Pool[] {
    return [...this.#pools.values()];
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
    const { organisation } = this.#budgets;
    const pools = this.#budgets.narrowOf(call).map((counted) => this.counted(counted));
    pools.push(this.tenant(call.tenantId));
    if (organisation) pools.push(this.counted(organisation));
    return pools;
  }

  private counted({ key, owner, meters }: Counted): Pool {
    let pool = this.#pools.get(key);
    if (pool === undefined) this.#pools.set(key, (pool = new Pool(key, owner, meters)));
    pool.meters = meters;
    return pool;
  }
}
