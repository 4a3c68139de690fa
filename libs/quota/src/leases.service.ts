import { setTimeout as pause } from 'node:timers/promises';
import type { ChangeFeed, Database, JobPrincipals } from '@app/platform';
import { allot, type Grant, patienceOf } from './allot';
import { type Amounts, amounts } from './amounts';
import { budgetExceeded } from './budget-exceeded';
import { aheadOf } from './chunk';
import type { GatewayProcess } from './gateway-process.service';
import { inAll } from './lane';
import { grant, lowerTo, recallFromOthers } from './leases.queries';
import type { Meters } from './meters';
import { ensureWindows } from './new-windows.queries';
import {
  type Caller,
  currentLease,
  leaseOf,
  leastOf,
  leave,
  mayServe,
  type Pool,
  queue,
  recallsBy,
  refusedAtOnce,
  sendAwayUnanswered,
  setAside,
  type Taken,
  takeFrom,
  takeOutRefused,
  type Waiter,
} from './pool';
import { Pools } from './pools';
import { firstOf, givesWay, type Recall, recallOf, type StandingRecall } from './recall';
import type { BudgetDirectory } from './scopes/budget-directory.service';
import { type Call, feedIdOf } from './scopes/scope';
import type { Settlements } from './settlements.service';
import { Standing, standingOf } from './standing';
import { LeaseSet } from './window-lease';
import type { MeterWindow } from './windows';
import { lockWindows } from './windows.queries';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;
/** For so long a process that has given something up for others lets them go first. */
const GIVE_WAY_MS = 20;
const SWEEP_MS = 1_000;

/** What requests are measured by, and how patient they are. */
export interface LeaseRules {
  readonly meters: Meters;
  readonly budgets: BudgetDirectory;
  /** How long a request waits for headroom that is held, in ms. */
  readonly waitMs: () => number;
}

/** The headroom this process has leased, and its coming and going. */
export class Leases {
  readonly #pools: Pools;
  #turn = 0;
  /** In so many pools somebody waits. */
  #pumping = 0;
  /** Whether something that comes back may have to go on to the database. */
  #isWanted = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly process: GatewayProcess,
    private readonly rules: LeaseRules,
    private readonly settlements: Settlements,
  ) {
    this.#pools = new Pools(rules.budgets);
  }

  /**
   * Learns which budgets there are, and begins to hear of changed ones and of recalls, and to give back what lies idle.
   * @throws CodedError `database_unavailable`
   */
  async start(changes: ChangeFeed): Promise<void> {
    const { budgets } = this.rules;
    const all = (): void => this.giveBackOf(() => true);
    changes.on('budget', {
      changed: (id) => void budgets.catchUp(id).then(() => this.giveBackOf(({ owner }) => feedIdOf(owner) === id)),
      reset: () => void budgets.catchUp().then(all),
    });
    changes.on('lease', { changed: (recall) => this.recalled(recallOf(recall)), reset: all });
    // Whoever has missed it looks again soon.
    changes.on('room', { changed: (id) => this.#pools.stalledBy(BigInt(id))?.wake(), reset: () => undefined });
    await budgets.load();
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.rules.budgets.stop();
  }

  get pools(): readonly Pool[] {
    return this.#pools.all;
  }

  /** Takes an amount from every pool the call counts in, or from none: then there is `obtain`. */
  take(call: Call, amount: Amounts, nowMs: number): LeaseSet | null {
    if (!this.rules.budgets.knows(nowMs)) return null;
    const taken = takeFrom(this.#pools.of(call), amount, nowMs);
    return taken instanceof LeaseSet ? taken : null;
  }

  /**
   * The way around `take` when a pool has too little: leases more. If what is lacking is only held, by requests under
   * way or by other processes, it waits for some of that to come back: first come first served, passing over whom it does
   * not suffice for, so that a request which asks for much does not keep the others out.
   * @param mayWait without it a refusal comes at once
   * @param caller whose end ends the wait
   * @throws BudgetExceeded, what ended the caller
   * @throws CodedError `database_unavailable`
   */
  async obtain(call: Call, need: Amounts, mayWait: boolean, caller: Caller | null = null): Promise<Taken> {
    if (caller?.cutBy) throw caller.cutBy;
    for (const pool of this.#pools.of(call)) {
      const refused = refusedAtOnce(pool, need, mayWait, this.rules.meters.now().getTime());
      if (refused) throw this.exceeded(refused, need);
    }
    try {
      return await new Promise((resolve, reject) => {
        const deadlineMs = performance.now() + (mayWait ? this.rules.waitMs() : 0);
        this.place({ call, need, turn: this.#turn++, deadlineMs, caller, resolve, reject });
      });
    } finally {
      if (caller) caller.onCut = null;
    }
  }

  /** Those of some leases that are of windows such a call counts in; the very same set where all are. */
  of(call: Call, leases: LeaseSet): LeaseSet {
    const pools = this.#pools.of(call);
    const counted = leases.leases.filter((lease) => pools.some(({ all }) => all.includes(lease)));
    return counted.length === leases.leases.length ? leases : new LeaseSet(counted);
  }

  /** Something of the holds of such calls is free again. */
  cameBack(call: Call): void {
    // Mostly nobody is short of anything, and a call's pools need not be looked for.
    if (this.#pumping === 0 && !this.#isWanted) return;
    for (const pool of this.#pools.of(call)) {
      if (pool.isOutdated) this.giveBack(pool, pool.recall);
      else if (pool.recall !== null) this.handOver(pool, pool.recall);
      if (pool.waiters.length > 0) this.serve(pool);
    }
  }

  /**
   * Gives back what no hold has taken. On failure the database counts too much as leased, until a later attempt.
   * @param areOutdated what is held goes back, too, when its calls end
   */
  async giveBackAll(pools: readonly Pool[] = this.#pools.all, areOutdated = false): Promise<void> {
    if (pools.length === 0) return;
    const lanes = pools.map(({ lane }) => lane);
    const giveBack = async (): Promise<void> => {
      for (const pool of pools) pool.isOutdated ||= areOutdated;
      this.#isWanted ||= areOutdated;
      await this.lower(pools);
      for (const pool of pools) if (this.#pools.has(pool) && pool.idle) this.#pools.forget(pool);
    };
    await inAll(lanes, giveBack).catch(() => undefined);
  }

  /** Another process found no room: it is given what is free here, or else, if it has less than this one, what comes free next. */
  private recalled(recall: Recall): void {
    if (recall.processId === this.process.id) return;
    const pool = this.#pools.leasing(recall.windowId);
    if (!pool) return;
    if (currentLease(pool, recall.windowId)?.free) this.giveBack(pool, recall);
    else {
      pool.recall = firstOf(pool.recall, recall, performance.now());
      this.#isWanted = true;
    }
  }

  /** Once for each recall, though somebody may wait here too: else whoever has much under way would have it again and again. */
  private handOver(pool: Pool, recall: StandingRecall): void {
    const lease = currentLease(pool, recall.windowId);
    if (!lease || performance.now() >= recall.untilMs) pool.recall = null;
    else if (givesWay(lease, recall)) this.giveBack(pool, recall);
  }

  /** Gives back what is free. @param recall who is to be given it; whoever waits here may then ask for it too, but not first */
  private giveBack(pool: Pool, recall: Recall | null): void {
    pool.recall = null;
    setAside(pool);
    const giveBack = async (): Promise<void> => {
      await this.lower([pool], recall?.windowId);
      if (recall) await pause(GIVE_WAY_MS);
    };
    pool.lane.run(giveBack).catch(() => undefined); // the sweep tries again
  }

  private giveBackOf(concerned: (pool: Pool) => boolean): void {
    const pools = this.#pools.all.filter(concerned);
    for (const pool of pools) pool.refusal = null;
    void this.giveBackAll(pools, true).then(() => pools.forEach((pool) => pool.wake()));
  }

  private sweep(): void {
    for (const pool of this.#pools.all) sendAwayUnanswered(pool, performance.now());
    this.#isWanted = this.#pools.all.some(({ recall, isOutdated }) => recall !== null || isOutdated);
    void this.giveBackAll(this.#pools.idleAt(this.rules.meters.now().getTime()));
  }

  /**
   * Lets go of what no hold has taken, for all of them at once: of many people with a budget each, most use theirs now and then.
   * @param windowId of which others are told that there is room
   */
  private lower(pools: readonly Pool[], windowId?: bigint): Promise<void> {
    return this.settlements.lane.run(async () => {
      const changed = pools.filter((pool) => this.#pools.has(pool) && pool.dropFree());
      if (changed.length === 0) return;
      const totals = new Map(changed.flatMap(({ all }) => all.map((lease) => [lease.windowId, lease.total])));
      const owners = changed.map(({ owner }) => owner);
      await this.database.platform(this.jobs.for('leases'), async (tx) => {
        await lowerTo(tx, this.process.id, owners, totals);
        if (windowId !== undefined) tx.announce('room', String(windowId));
      });
      for (const pool of changed) pool.settleUp();
    });
  }

  /** Gives one who waits what it needs, or has it wait in the pool that has too little. */
  private place(waiter: Waiter): void {
    const nowMs = this.rules.meters.now().getTime();
    if (!this.rules.budgets.knows(nowMs)) return void this.placeLater(waiter, nowMs);
    const taken = takeFrom(this.#pools.of(waiter.call), waiter.need, nowMs);
    if (taken instanceof LeaseSet) return waiter.resolve({ leases: taken, atMs: nowMs });
    queue(taken, waiter);
    const { caller } = waiter;
    if (caller) caller.onCut = () => leave(taken, waiter, caller.cutBy as Error);
    if (!taken.pumping) void this.pump(taken);
    else if (taken.stalled?.hasRoom(waiter.need)) taken.wake();
  }

  /** The first of a day, or one that has waited since the day before: until it is known in whose budgets it counts. */
  private async placeLater(waiter: Waiter, nowMs: number): Promise<void> {
    try {
      await this.rules.budgets.readFor(nowMs);
      if (waiter.caller?.cutBy) throw waiter.caller.cutBy;
      this.place(waiter);
    } catch (error) {
      waiter.reject(error as Error);
    }
  }

  /** Gives to those who wait, first come first served, passing over whom it does not suffice for. */
  private serve(pool: Pool): void {
    const nowMs = this.rules.meters.now().getTime();
    let passedOver = 0;
    // With a thousand who wait, asking each of them whenever something comes back would take longer than their calls do.
    while (passedOver < pool.waiters.length && mayServe(pool, nowMs)) {
      const waiter = pool.waiters.splice(passedOver, 1)[0] as Waiter;
      this.place(waiter);
      if (pool.waiters[passedOver] === waiter) passedOver++;
    }
    if (pool.waiters.length === 0) pool.wake();
    else if (passedOver === pool.waiters.length) pool.least = leastOf(pool.waiters);
  }

  /** Serves the waiting, one refill for all of them at a time, until none is left. */
  private async pump(pool: Pool): Promise<void> {
    pool.pumping = true;
    this.#pumping++;
    let pauseMs = FIRST_PAUSE_MS;
    while (pool.waiters.length > 0) {
      try {
        const standing = await pool.lane.run(() => this.refill(pool));
        if (standing === null) {
          pauseMs = FIRST_PAUSE_MS;
          continue;
        }
        for (const { need, reject } of takeOutRefused(pool, standing)) reject(this.exceeded(standing, need));
        // Not in step: else two processes could go on handing each other what both need two of.
        await pool.stall(standing, pauseMs * (0.5 + Math.random()));
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      } catch (error) {
        for (const waiter of pool.waiters.splice(0)) waiter.reject(error as Error);
      }
    }
    this.#pumping--;
    pool.pumping = false;
  }

  /**
   * Asks the database for what the waiting are short of.
   * @returns how the windows stand if there is room for none of them
   */
  private async refill(pool: Pool): Promise<Standing | null> {
    this.serve(pool);
    if (pool.waiters.length === 0) return null;
    const now = this.rules.meters.now();
    const { meters: counts } = pool;
    const meters = this.rules.meters.at(now, counts);
    const isNew = !pool.covers(now.getTime());
    await this.rules.budgets.readFor(now.getTime());

    let outcome = await this.lease(pool, meters);
    if (outcome === null && isNew) {
      // The first call of the period.
      await this.database.platform(this.jobs.for('leases'), (tx) =>
        ensureWindows(tx, pool.owner, meters, this.settlements.books),
      );
      outcome = await this.lease(pool, meters);
    }
    if (outcome instanceof Standing) return outcome;
    if (outcome === null) {
      // The budget has gone, and this process has not heard of it yet.
      await this.rules.budgets.catchUp(feedIdOf(pool.owner));
      for (const waiter of pool.waiters.splice(0)) this.place(waiter);
      return null;
    }

    this.process.leased();
    for (const { lease, amount } of outcome.grants) {
      lease.free += amount;
      lease.total += amount;
    }
    pool.enter(
      outcome.grants.map(({ lease }) => lease),
      counts,
    );
    pool.ahead = outcome.ahead;
    pool.patienceMs = outcome.patienceMs;
    pool.refilledAtMs = performance.now();
    pool.refusal = null;
    pool.isOutdated = false;
    this.serve(pool);
    return null;
  }

  /** @returns what it has leased, or how the windows stand if there is room for nobody; `null` if not all of them are there */
  private async lease(pool: Pool, meters: readonly MeterWindow[]): Promise<Granted | Standing | null> {
    const { owner, uncertain: wasUncertain } = pool;
    pool.uncertain = true;
    const outcome = await this.database.platform(
      this.jobs.for('leases'),
      async (tx): Promise<Granted | Standing | null> => {
        await this.process.mustBeInOffice(tx);
        const rows = await lockWindows(tx, owner, meters);
        if (rows.length < meters.length) return null;
        const sources = rows.map((row) => ({ row, lease: leaseOf(pool, row) }));
        const standing = standingOf(owner, sources);
        const needs = pool.waiters.map(({ need }) => need);
        const [next, ...others] = needs.filter((need) => standing.hasRoom(need));
        if (next === undefined) {
          await recallFromOthers(tx, this.process.id, recallsBy(this.process.id, pool, standing.shortFor(needs)));
          return standing;
        }
        const sinceMs = performance.now() - pool.refilledAtMs;
        const ahead = amounts((metric) => aheadOf(pool.ahead[metric], next[metric], sinceMs));
        const grants = allot(sources, [next, ...others], ahead);
        await grant(tx, this.process.id, grants);
        return { grants, ahead, patienceMs: patienceOf(sources, grants) };
      },
    );
    pool.uncertain = wasUncertain;
    return outcome;
  }

  private exceeded(standing: Standing, need: Amounts): Error {
    const now = this.rules.meters.now();
    return budgetExceeded(standing, need, now, this.settlements.books.ledger.currency(now));
  }
}

interface Granted {
  readonly grants: readonly Grant[];
  readonly ahead: Amounts;
  readonly patienceMs: number;
}
