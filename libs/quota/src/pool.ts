import { CodedError } from '@app/platform';
import { type Amounts, lesserOf, NOTHING } from './amounts';
import { Lane } from './lane';
import type { Recall, StandingRecall } from './recall';
import type { Call, Owner } from './scopes/scope';
import type { LimitedWindow, Standing } from './standing';
import { LeaseSet, NO_LEASES, WindowLease } from './window-lease';
import type { Meter } from './windows';
import type { WindowRow } from './windows.queries';

/** How many requests wait in a pool at a time; more are refused at once, so that memory stays bounded. */
const MOST_WAITING = 1_000;
/** How long a refusal stands for others that ask for as much; spares the database a tenant that hammers. */
const REFUSAL_MS = 100;
/** So much longer than for headroom a request waits for the database's word. */
const UNANSWERED_MS = 5_000;

/** Headroom taken for one request. */
export interface Taken {
  readonly leases: LeaseSet;
  /** When; decides the windows. */
  readonly atMs: number;
}

/** A call that may end while it waits, for headroom or for others to end. */
export interface Caller {
  /** Why it has ended; null while it has not. */
  readonly cutBy: Error | null;
  /** Called at once when it ends. */
  onCut: (() => void) | null;
}

/** A request that waits for headroom, in the pool it found short. It has taken from no other pool meanwhile. */
export interface Waiter {
  readonly call: Call;
  readonly need: Amounts;
  /** Rises from one to the next. */
  readonly turn: number;
  /** Until when it waits for what is held to come back; monotonic ms. */
  readonly deadlineMs: number;
  readonly caller: Caller | null;
  readonly resolve: (taken: Taken) => void;
  readonly reject: (error: Error) => void;
}

/** What was found out by refusing: who asks for as much within moments would be refused as well. */
export interface Refusal {
  readonly standing: Standing;
  /** Monotonic ms. */
  readonly untilMs: number;
}

/** Headroom of several pools, as one. */
interface Joint {
  readonly parts: readonly LeaseSet[];
  readonly leases: LeaseSet;
}

/** The headroom this process has of one owner's budgets. */
export class Pool {
  #current = NO_LEASES;
  /** What the current windows count. */
  #counts: readonly Meter[] = [];
  /** Of windows that have ended, or whose budget has gone, and still have requests to settle. */
  #past: WindowLease[] = [];
  /** Changes of what the database has leased to us do not overlap. */
  readonly lane = new Lane();
  waiters: Waiter[] = [];
  /** None of those who wait needs less of anything. */
  least = NOTHING;
  pumping = false;
  refusal: Refusal | null = null;
  /** Who in another process is to be given what comes free here. */
  recall: StandingRecall | null = null;
  /** Its limits have changed, and it has been granted nothing since: what comes back is not its to use. */
  isOutdated = false;
  /** What the last refill asked for ahead, and when; monotonic ms. */
  ahead = NOTHING;
  refilledAtMs = -Infinity;
  usedAtMs = 0;
  /** How long it may lie idle. */
  patienceMs = 0;
  /** What was last taken from this and wider pools together: mostly it is the same again. */
  joint: Joint | null = null;
  /** The database may count more as leased to us than we know of. */
  uncertain = false;
  #stall: { readonly standing: Standing; readonly end: () => void } | null = null;

  /** @param meters what is to be counted; compared by identity */
  constructor(
    readonly key: string,
    readonly owner: Owner,
    public meters: readonly Meter[],
  ) {}

  /** Takes an amount from every window at once, or from none. */
  take(amount: Amounts, nowMs: number): LeaseSet | null {
    const current = this.#current;
    if (!this.covers(nowMs) || !current.take(amount)) return null;
    this.usedAtMs = nowMs;
    return current;
  }

  has(amount: Amounts, nowMs: number): boolean {
    return this.covers(nowMs) && this.#current.has(amount);
  }

  /** Whether the windows are those of that instant, and of what is to be counted. */
  covers(nowMs: number): boolean {
    return this.#counts === this.meters && this.#current.covers(nowMs);
  }

  get leases(): readonly WindowLease[] {
    return this.#current.leases;
  }

  get all(): readonly WindowLease[] {
    return [...this.#current.leases, ...this.#past];
  }

  /** Turns to the windows of another day or month, or of other meters; the old ones live on until their requests are settled. */
  enter(leases: readonly WindowLease[], meters: readonly Meter[]): void {
    this.#counts = meters;
    if (leases.length === this.leases.length && leases.every((lease, i) => lease === this.leases[i])) return;
    this.#past = this.all.filter((lease) => !leases.includes(lease));
    this.#current = new LeaseSet(leases);
  }

  /** Those who wait found no room: nothing to be done until something comes back, somebody wakes us, or the time is over. */
  async stall(standing: Standing, ms: number): Promise<void> {
    if (this.waiters.length === 0 || this.waiters.some(({ need }) => standing.hasRoom(need))) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#stall = { standing, end };
    });
    this.#stall = null;
  }

  /** How the windows stand that those who wait found without room; `null` while nobody waits in vain. */
  get stalled(): Standing | null {
    return this.#stall?.standing ?? null;
  }

  wake(): void {
    this.#stall?.end();
  }

  /**
   * Lets go of what no hold has taken; from here on the database counts more than we do, until it is told.
   * @returns whether there is anything to tell it
   */
  dropFree(): boolean {
    setAside(this);
    for (const lease of this.all) {
      if (lease.leaving === 0n) continue;
      lease.total -= lease.leaving;
      lease.leaving = 0n;
      this.uncertain = true;
    }
    if (this.#past.some(({ total }) => total === 0n)) this.uncertain = true;
    return this.uncertain;
  }

  /** The database has been told. */
  settleUp(): void {
    this.uncertain = false;
    this.#past = this.#past.filter(({ total }) => total > 0n);
  }

  get hasPast(): boolean {
    return this.#past.length > 0;
  }

  /** Nothing leased, nobody waiting: it can be forgotten. */
  get idle(): boolean {
    return !this.pumping && this.waiters.length === 0 && !this.uncertain && this.all.every(({ total }) => total === 0n);
  }
}

/** What is leased of a window, or what could be. */
export const leaseOf = ({ all }: Pool, { id, metric, starts_at, ends_at }: WindowRow): WindowLease =>
  all.find(({ windowId }) => windowId === id) ?? new WindowLease(id, metric, starts_at.getTime(), ends_at.getTime());

/** What is leased of one of a pool's current windows. */
export const currentLease = ({ leases }: Pool, windowId: bigint): WindowLease | undefined =>
  leases.find((lease) => lease.windowId === windowId);

/** What a process asks the others for whose pool has found no room in some windows. */
export const recallsBy = (processId: string, pool: Pool, short: readonly LimitedWindow[]): readonly Recall[] =>
  short.map(({ id: windowId }) => ({ windowId, processId, inUse: currentLease(pool, windowId)?.inUse ?? 0n }));

/**
 * Keeps what is free now from being taken, until `dropFree` lets go of it; that waits until the database has answered what it is
 * being asked.
 */
export function setAside({ all }: Pool): void {
  for (const lease of all) {
    lease.leaving += lease.free;
    lease.free = 0n;
  }
}

/** Has somebody wait in a pool. Whoever has waited in another before keeps its turn. */
export function queue(pool: Pool, waiter: Waiter): void {
  const { waiters, least } = pool;
  pool.least = waiters.length === 0 ? waiter.need : lesserOf(least, waiter.need);
  const before = waiters.findLastIndex(({ turn }) => turn < waiter.turn);
  waiters.splice(before + 1, 0, waiter);
}

/** Ends the wait of one that waits in a pool, if it does. */
export function leave(pool: Pool, waiter: Waiter, why: Error): void {
  const at = pool.waiters.indexOf(waiter);
  if (at < 0) return;
  pool.waiters.splice(at, 1);
  if (pool.waiters.length === 0) pool.wake();
  waiter.reject(why);
}

/**
 * Ends the wait of those whom the database owes a word for long. It may take its time with us, because somebody keeps locked what we
 * need, or because it waits for a standby; nobody waits with us.
 */
export function sendAwayUnanswered(pool: Pool, nowMs: number): void {
  for (const waiter of [...pool.waiters])
    if (nowMs - waiter.deadlineMs > UNANSWERED_MS) leave(pool, waiter, new CodedError('database_unavailable'));
}

/** How a pool's windows stand, if that tells without asking again that a request is refused. */
export function refusedAtOnce(
  { refusal, stalled, waiters }: Pool,
  need: Amounts,
  mayWait: boolean,
  nowMs: number,
): Standing | null {
  if (refusal && performance.now() < refusal.untilMs && nowMs < refusal.standing.endsAtMs) {
    const { standing } = refusal;
    if (!standing.mayHaveRoom(need) && !standing.hasRoom(need)) return standing;
  }
  return stalled && (!mayWait || waiters.length >= MOST_WAITING) && !stalled.hasRoom(need) ? stalled : null;
}

/** Takes out, of those who found no room, who has waited long enough, and whom waiting cannot help. */
export function takeOutRefused(pool: Pool, standing: Standing): readonly Waiter[] {
  const nowMs = performance.now();
  pool.refusal = { standing, untilMs: nowMs + REFUSAL_MS };
  const [waiting, refused] = [[] as Waiter[], [] as Waiter[]];
  for (const waiter of pool.waiters) {
    const { need, deadlineMs } = waiter;
    const stays = standing.hasRoom(need) || (standing.mayHaveRoom(need) && nowMs < deadlineMs);
    (stays ? waiting : refused).push(waiter);
  }
  pool.waiters = waiting;
  return refused;
}

/** Whether there may be enough for somebody who waits; else nobody needs to be asked. */
export const mayServe = (pool: Pool, nowMs: number): boolean => pool.waiters.length > 0 && pool.has(pool.least, nowMs);

/** What nobody who waits needs less of, found anew: whoever needed least may wait no more. */
export const leastOf = (waiters: readonly Waiter[]): Amounts => waiters.map(({ need }) => need).reduce(lesserOf);

/**
 * Takes an amount from all pools at once, or from none.
 * @returns what was taken, or the first pool that has too little
 */
export function takeFrom(pools: readonly Pool[], amount: Amounts, nowMs: number): LeaseSet | Pool {
  const [first, second] = pools;
  if (first === undefined) return NO_LEASES;
  if (second === undefined) return first.take(amount, nowMs) ?? first;
  const short = pools.find((pool) => !pool.has(amount, nowMs));
  if (short) return short;
  const parts = pools.map((pool) => pool.take(amount, nowMs) as LeaseSet);
  return (first.joint = join(parts, first.joint)).leases;
}

/** The same set for the same parts, because what calls have used is added up by it. */
const join = (parts: readonly LeaseSet[], last: Joint | null): Joint =>
  last && last.parts.length === parts.length && parts.every((part, i) => part === last.parts[i])
    ? last
    : { parts, leases: new LeaseSet(parts.flatMap(({ leases }) => leases)) };
