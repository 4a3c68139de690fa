import { matchesPattern } from '@app/platform';
import { type Amounts, inMetric } from '../amounts';
import type { Metric } from '../windows';
import { type Call, keyOf, type Scope } from './scope';

/** A window that rows may count in, as the database has it. */
export interface ChargedWindow {
  /** In decimal: a text remembers its hash, by which it is looked for in every batch. */
  readonly id: string;
  readonly tenant_id: string | null;
  readonly scope: Scope;
  readonly target: string;
  readonly metric: Metric;
  readonly starts_at: Date;
  readonly ends_at: Date;
}

/** What of a row, or of several that have the same to say, decides how much is counted where. */
export interface Chargeable {
  /** When its hold was made, in ms since the epoch; of several rows, the first and the last. */
  readonly atMs: number;
  readonly lastMs: number;
  readonly call: Call;
  readonly used: Amounts;
  /** Calls of different tenants share no list but an empty one. */
  readonly windowIds: readonly string[];
}

/** How much is counted in a window, in its metric's unit. */
export interface WindowCharge {
  readonly windowId: string;
  /** Of calls whose holds have taken from it, so that a lease covers it. */
  readonly held: bigint;
  /** Of all. */
  readonly used: bigint;
}

/** Finds the windows of a row: those its hold names, and all others of its time and of whom it belongs to. */
export class ChargedWindows {
  readonly #organisation: ChargedWindow[] = [];
  /** Of tenants as a whole, and of their models. */
  readonly #wide = new Map<string | null, ChargedWindow[]>();
  /** Of their tokens and end users. */
  readonly #narrow = new Map<string, ChargedWindow[]>();
  /** When they begin and end, in ms since the epoch. */
  readonly #edges = new Set<number>();

  /**
   * @param known knows those that rows name, and the others
   * @param ids of all of them
   */
  constructor(
    private readonly known: { get(id: string): ChargedWindow | undefined },
    ids: Iterable<string>,
  ) {
    for (const id of ids) {
      const window = known.get(id);
      if (window === undefined) continue;
      const { tenant_id: tenantId, scope, target } = window;
      this.#edges.add(window.starts_at.getTime()).add(window.ends_at.getTime());
      if (scope === 'organisation') this.#organisation.push(window);
      else if (scope === 'tenant' || scope === 'model') put(this.#wide, tenantId, window);
      else put(this.#narrow, keyOf({ tenantId, scope, target }), window);
    }
  }

  /** Whether of some rows that were added up one part counts in a window, and the other does not: then each has to be charged by itself. */
  divide(sums: readonly Chargeable[]): boolean {
    const edges = [...this.#edges];
    return sums.some(({ atMs, lastMs }) => edges.some((edge) => atMs < edge && edge <= lastMs));
  }

  /** Each window's sum over the rows. */
  charge(rows: readonly Chargeable[]): readonly WindowCharge[] {
    const sums = new Map<string, { windowId: string; held: bigint; used: bigint }>();
    const add = ({ id, metric }: ChargedWindow, used: Amounts, isHeld: boolean): void => {
      let sum = sums.get(id);
      if (sum === undefined) sums.set(id, (sum = { windowId: id, held: 0n, used: 0n }));
      const amount = inMetric(used, metric);
      sum.used += amount;
      if (isHeld) sum.held += amount;
    };
    for (const [windowIds, { tenantId, used }] of sumsByWindows(rows)) {
      for (const id of windowIds) {
        const window = this.known.get(id);
        if (window && (window.tenant_id ?? tenantId) === tenantId) add(window, used, true);
      }
    }
    for (const { call, windowIds, used, atMs } of rows)
      for (const window of this.#of(call))
        if (isOpen(window, atMs) && !windowIds.includes(window.id)) add(window, used, false);
    return [...sums.values()];
  }

  /** Those that a call counts in, of whatever time. */
  *#of({ tenantId, lineage, model, user }: Call): Iterable<ChargedWindow> {
    for (const window of this.#wide.get(tenantId) ?? [])
      if (window.scope === 'tenant' || matchesPattern(window.target, model)) yield window;
    yield* this.#organisation;
    if (this.#narrow.size === 0) return;
    yield* this.#narrow.get(keyOf({ tenantId, scope: 'token', target: lineage })) ?? [];
    if (user !== null) yield* this.#narrow.get(keyOf({ tenantId, scope: 'user', target: user })) ?? [];
  }
}

function put<Key>(windows: Map<Key, ChargedWindow[]>, key: Key, window: ChargedWindow): void {
  const known = windows.get(key);
  if (known) known.push(window);
  else windows.set(key, [window]);
}

export const isOpen = ({ starts_at, ends_at }: ChargedWindow, atMs: number): boolean =>
  starts_at.getTime() <= atMs && atMs < ends_at.getTime();

interface Sum {
  readonly tenantId: string;
  readonly used: { -readonly [metric in Metric]: bigint };
}

/** What rows whose holds have taken from the same windows have used together: nearly all of a batch do. */
function sumsByWindows(rows: readonly Chargeable[]): ReadonlyMap<readonly string[], Sum> {
  const sums = new Map<readonly string[], Sum>();
  for (const { call, windowIds, used } of rows) {
    let sum = sums.get(windowIds);
    if (sum === undefined) sums.set(windowIds, (sum = { tenantId: call.tenantId, used: { cost: 0n, tokens: 0n } }));
    sum.used.cost += used.cost;
    sum.used.tokens += used.tokens;
  }
  return sums;
}
