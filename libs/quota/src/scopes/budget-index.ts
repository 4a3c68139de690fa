import { matchesPattern } from '@app/platform';
import { type Meter, METERS } from '../windows';
import { type Call, EACH, keyOf, type Owner } from './scope';

/** That there is a budget. */
export interface Budgeted extends Owner, Meter {}

/** One in whose budgets a call counts, and what is counted of it. */
export interface Counted {
  readonly owner: Owner;
  readonly key: string;
  /** One list for each set of meters, so that lists can be compared by identity. */
  readonly meters: readonly Meter[];
}

/** Every set of meters, by its bits. */
const SETS: readonly (readonly Meter[])[] = Array.from({ length: 1 << METERS.length }, (_, bits) =>
  METERS.filter((_meter, index) => bits & (1 << index)),
);

const bitOf = ({ metric, period }: Budgeted): number =>
  1 << METERS.findIndex((meter) => meter.metric === metric && meter.period === period);

/** Which budgets there are, and in which of them a call counts. */
export class BudgetIndex {
  private constructor(
    private readonly tenants: ReadonlyMap<string, TenantBudgets>,
    private readonly ofEverybody: readonly Counted[],
  ) {}

  static of(budgets: Iterable<Budgeted>): BudgetIndex {
    const bits = new Map<string, { owner: Owner; bits: number }>();
    for (const budget of budgets) {
      const { tenantId, scope, target } = budget;
      const owner = { tenantId, scope, target };
      const known = bits.get(keyOf(owner)) ?? { owner, bits: 0 };
      bits.set(keyOf(owner), { owner, bits: known.bits | bitOf(budget) });
    }
    const tenants = new Map<string, TenantBudgets>();
    const ofEverybody: Counted[] = [];
    for (const { owner, bits: own } of bits.values()) {
      const { tenantId } = owner;
      if (tenantId === null) ofEverybody.push(counted(owner, own));
      else {
        const tenant = tenants.get(tenantId) ?? new TenantBudgets();
        tenants.set(tenantId, tenant);
        tenant.add(owner, own);
      }
    }
    return new BudgetIndex(tenants, ofEverybody);
  }

  /** With other budgets of some tenants. @param budgets all that they and the organisation have */
  with(tenants: Iterable<string>, budgets: Iterable<Budgeted>): BudgetIndex {
    const theirs = BudgetIndex.of(budgets);
    const all = new Map(this.tenants);
    for (const id of tenants) all.delete(id);
    for (const [id, tenant] of theirs.tenants) all.set(id, tenant);
    return new BudgetIndex(all, theirs.ofEverybody);
  }

  /** In whose budgets a call counts, narrow before wide: whoever is over a budget of its own is told of that one. */
  ofCall(call: Call): readonly Counted[] {
    return [...(this.tenants.get(call.tenantId)?.ofCall(call) ?? []), ...this.ofEverybody];
  }
}

class TenantBudgets {
  #whole: Counted | null = null;
  readonly #models: Counted[] = [];
  readonly #tokens = new Map<string, number>();
  readonly #users = new Map<string, number>();

  add(owner: Owner, bits: number): void {
    if (owner.scope === 'tenant') this.#whole = counted(owner, bits);
    else if (owner.scope === 'model') this.#models.push(counted(owner, bits));
    else if (owner.scope === 'token') this.#tokens.set(owner.target, bits);
    else if (owner.scope === 'user') this.#users.set(owner.target, bits);
  }

  ofCall({ tenantId, lineage, model, otherModels, user }: Call): readonly Counted[] {
    const all: Counted[] = [];
    const ofUser = user === null ? 0 : bitsOf(this.#users, user);
    if (ofUser > 0) all.push(counted({ tenantId, scope: 'user', target: user as string }, ofUser));
    const ofToken = bitsOf(this.#tokens, lineage);
    if (ofToken > 0) all.push(counted({ tenantId, scope: 'token', target: lineage }, ofToken));
    for (const pattern of this.#models) {
      const { target } = pattern.owner;
      if (matchesPattern(target, model) || otherModels?.some((other) => matchesPattern(target, other)))
        all.push(pattern);
    }
    if (this.#whole) all.push(this.#whole);
    return all;
  }
}

/** A budget of one's own takes the place of the one that each has. */
const bitsOf = (budgets: ReadonlyMap<string, number>, target: string): number =>
  (budgets.get(target) ?? 0) | (budgets.get(EACH) ?? 0);

const counted = (owner: Owner, bits: number): Counted => ({
  owner,
  key: keyOf(owner),
  meters: SETS[bits] as readonly Meter[],
});
