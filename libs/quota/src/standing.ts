import { type Amounts, atLeastZero } from './amounts';
import type { Owner } from './scopes/scope';
import type { WindowLease } from './window-lease';
import type { Metric, Period } from './windows';
import type { WindowRow } from './windows.queries';

/** A window with a limit, as it stood when the database was last asked. Amounts in the metric's unit. */
export interface LimitedWindow {
  readonly id: bigint;
  readonly metric: Metric;
  readonly period: Period;
  readonly limit: bigint;
  readonly spent: bigint;
  /** Leased to gateway processes, less what this one has at hand. */
  readonly held: bigint;
  /** What this process could hold now. */
  readonly room: bigint;
  /** What it could hold if everything held came back unspent. */
  readonly most: bigint;
  readonly resetAt: Date;
}

/** The most one request could hold, by metric; `null` where nothing limits it. */
export type Room = Readonly<Record<Metric, bigint | null>>;

/** How an owner's windows stood, those that have a limit. */
export class Standing {
  constructor(
    readonly owner: Owner,
    readonly windows: readonly LimitedWindow[],
  ) {}

  hasRoom(need: Amounts): boolean {
    return this.windows.every(({ metric, room }) => need[metric] <= room);
  }

  /** Whether waiting for what is held may help, rather than only the end of a window. */
  mayHaveRoom(need: Amounts): boolean {
    return this.windows.every(({ metric, most }) => need[metric] <= most);
  }

  /** The windows that have no room for some of these, and would have if everything held came back. */
  shortFor(needs: readonly Amounts[]): readonly LimitedWindow[] {
    return this.windows.filter(({ metric, room, most }) =>
      needs.some((need) => need[metric] > room && need[metric] <= most),
    );
  }

  /** The least of its windows, by metric. */
  least(amount: 'room' | 'most'): Room {
    const of = (metric: Metric): bigint | null =>
      this.windows
        .filter((window) => window.metric === metric)
        .reduce<bigint | null>((least, { [amount]: next }) => (least === null || next < least ? next : least), null);
    return { cost: of('cost'), tokens: of('tokens') };
  }

  /** When the first of the windows ends; then all this is void. */
  get endsAtMs(): number {
    return Math.min(...this.windows.map(({ resetAt }) => resetAt.getTime()));
  }

  /**
   * The window to name to a request that is refused: of those in which nothing helps but their end, or else of those without
   * room, the one that resets last.
   */
  fullFor(need: Amounts): LimitedWindow | undefined {
    const spent = this.windows.filter(({ metric, most }) => need[metric] > most);
    const full = spent.length > 0 ? spent : this.windows.filter(({ metric, room }) => need[metric] > room);
    return full.toSorted((a, b) => b.resetAt.getTime() - a.resetAt.getTime())[0];
  }
}

/** Limit less what is spent and leased; `null` without a limit. */
export const leftOf = ({ limit_amount, spent, leased }: WindowRow): bigint | null =>
  limit_amount === null ? null : atLeastZero(limit_amount - spent - leased);

/** A window, and what of it this process has leased. */
export interface Source {
  readonly row: WindowRow;
  readonly lease: WindowLease;
}

export const standingOf = (owner: Owner, sources: readonly Source[]): Standing =>
  new Standing(
    owner,
    sources.flatMap(({ row, lease }): LimitedWindow[] => {
      const { id, metric, period, limit_amount: limit, spent, leased, ends_at: resetAt } = row;
      if (limit === null) return [];
      const held = leased - lease.free;
      const room = (leftOf(row) ?? 0n) + lease.free;
      return [{ id, metric, period, limit, spent, held, room, most: atLeastZero(limit - spent), resetAt }];
    }),
  );
