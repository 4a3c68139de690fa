import { Pool } from './pool';
import type { BudgetDirectory } from './scopes/budget-directory.service';
import { type Call, tenantOwner } from './scopes/scope';
import type { Counted } from './scopes/scoped-budgets';
import { METERS } from './windows';

/** This process's pools: one for each owner of budgets that calls have counted in lately. */
export class Pools {
  readonly #pools = new Map<string, Pool>();

  constructor(private readonly budgets: BudgetDirectory) {}

  /** All from which a call takes, narrow before wide: whoever is over a budget of its own is told of that one. */
  of(call: Call): readonly Pool[] {
    const { organisation } = this.budgets;
    const narrow = this.budgets.narrowOf(call);
    const tenant = this.tenant(call.tenantId);
    if (narrow.length === 0 && organisation === null) return [tenant];
    const pools = narrow.map((counted) => this.counted(counted));
    pools.push(tenant);
    if (organisation) pools.push(this.counted(organisation));
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

  /** Whether it has not been forgotten; another may have come in its place since. */
  has(pool: Pool): boolean {
    return this.#pools.get(pool.key) === pool;
  }

  /** Only of a pool that is there and idle: of one owner there must never be two, each of which takes itself for the only one. */
  forget(pool: Pool): void {
    this.#pools.delete(pool.key);
  }

  private counted({ key, owner, meters }: Counted): Pool {
    let pool = this.#pools.get(key);
    if (pool === undefined) this.#pools.set(key, (pool = new Pool(key, owner, meters)));
    pool.meters = meters;
    return pool;
  }
}
