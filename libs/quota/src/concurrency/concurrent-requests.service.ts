import type { ChangeFeed, Database, JobPrincipals, Log } from '@app/platform';
import type { Caller } from '../pool';
import { refuseLate, SlotPool, type SlotWaiter } from './slot-pool';
import { adjustSlots, dropSlotsOf } from './slots.queries';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;
/** After another process has asked, what comes free is given to it for so long. */
const WANTED_MS = 1_000;
const IDLE_MS = 2_000;
const SWEEP_MS = 1_000;
/** How many requests of one key wait at a time; more are refused at once, so that memory stays bounded. */
const MOST_WAITING = 1_000;

/** Ends a request; once. */
export type Leave = () => void;

/**
 * Requests under way, never more than a limit over all gateway processes together. Each process has slots from the database,
 * and hands them out from memory; what it has in all never exceeds the limit less what the others have.
 */
export class ConcurrentRequests {
  readonly #pools = new Map<string, SlotPool>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly log: Log,
    /** Of this process, which proves to be alive by its lock. */
    private readonly processId: string,
    private readonly waitMs: () => number,
  ) {}

  start(changes: ChangeFeed): void {
    changes.on('slots', {
      changed: (key) => this.giveToOthers(this.#pools.get(key)),
      reset: () => this.#pools.forEach((pool) => this.giveToOthers(pool)),
    });
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** Gives everything back; no request is under way any more. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.database
      .platform(this.jobs.for('concurrency'), (tx) => dropSlotsOf(tx, this.processId))
      .catch(() => undefined); // they are dropped with this process's lock
  }

  /**
   * Admits a request, at once if a slot is at hand; else when one comes free within `waitMs`, first come first served.
   * @param caller whose end ends the wait
   * @returns what ends it, or `null` if nothing came free
   * @throws what ended the caller
   * @throws CodedError `database_unavailable` when nothing is at hand and the database is away
   */
  enter(key: string, limit: number, caller: Caller | null = null): Leave | Promise<Leave | null> {
    const pool = this.pool(key);
    pool.limit = limit;
    const nowMs = performance.now();
    if (pool.waiters.length === 0 && pool.take(nowMs)) return this.leaving(pool);
    return this.wait(pool, nowMs + this.waitMs(), caller);
  }

  private async wait(pool: SlotPool, deadlineMs: number, caller: Caller | null): Promise<Leave | null> {
    if (caller?.cutBy) throw caller.cutBy;
    if (pool.waiters.length >= MOST_WAITING) return null;
    try {
      const isAdmitted = await new Promise<boolean>((resolve, reject) => {
        const waiter: SlotWaiter = { deadlineMs, resolve, reject };
        pool.waiters.push(waiter);
        if (caller) caller.onCut = () => pool.leave(waiter, caller.cutBy as Error);
        void this.pump(pool);
      });
      return isAdmitted ? this.leaving(pool) : null;
    } finally {
      if (caller) caller.onCut = null;
    }
  }

  private leaving(pool: SlotPool): Leave {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      pool.release();
      const nowMs = performance.now();
      pool.serve(nowMs);
      if (nowMs - pool.wantedAtMs < WANTED_MS) this.giveBack(pool);
    };
  }

  /** As long as somebody waits, asks the database for slots. */
  private async pump(pool: SlotPool): Promise<void> {
    if (pool.pumping) return;
    pool.pumping = true;
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
        pool.serve(performance.now());
        if (pool.waiters.length === 0) break;
        await this.adjust(pool);
        pool.serve(performance.now());
        refuseLate(pool, performance.now());
        if (pool.waiters.length === 0) break;
        await pool.pause(pauseMs);
      }
    } catch (error) {
      for (const { reject } of pool.waiters.splice(0)) reject(error);
    } finally {
      pool.pumping = false;
    }
  }

  private adjust(pool: SlotPool): Promise<void> {
    return pool.lane.run(async () => {
      const { key, limit } = pool;
      const wish = { key, limit, processId: this.processId, total: pool.total, waiting: pool.waiters.length };
      pool.uncertain = true;
      const granted = await this.database.platform(this.jobs.for('concurrency'), (tx) => adjustSlots(tx, wish));
      // What was let go of meanwhile is told by who let it go.
      if (pool.total === wish.total) pool.uncertain = false;
      pool.granted(granted);
    });
  }

  private giveToOthers(pool: SlotPool | undefined): void {
    if (!pool) return;
    pool.wantedAtMs = performance.now();
    this.giveBack(pool);
  }

  private giveBack(pool: SlotPool): void {
    // Whoever waits here has a right to it as good as the others'.
    if (!(pool.hasFree || pool.uncertain) || pool.waiters.length > 0) return;
    pool.dropFree();
    this.adjust(pool).catch((error: unknown) =>
      this.log.warn({ err: error }, 'slots that are free could not be given back yet'),
    );
  }

  private sweep(): void {
    const nowMs = performance.now();
    for (const [key, pool] of this.#pools) {
      if (pool.uncertain || pool.isIdle(nowMs, IDLE_MS)) this.giveBack(pool);
      else if (pool.isEmpty) this.#pools.delete(key);
    }
  }

  private pool(key: string): SlotPool {
    const known = this.#pools.get(key);
    if (known) return known;
    const pool = new SlotPool(key);
    this.#pools.set(key, pool);
    return pool;
  }
}
