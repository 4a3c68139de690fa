import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeFeed, CodedError, Database, JobPrincipals } from '@app/platform';
import { Account, type Refusal, type Taken, type Waiter } from './account';
import { budgetExceeded, type FullWindow } from './budget-exceeded';
import { aheadOf, chunk } from './chunk';
import type { GatewayProcess } from './gateway-process.service';
import { grant, isInOffice, leasedByOthers, lowerTo } from './leases.queries';
import type { Meters } from './meters';
import type { Settlements } from './settlements.service';
import { WindowLease } from './window-lease';
import { ensureWindows, lockWindows, type WindowRow } from './windows.queries';

/** How long a request waits for headroom that other processes have been asked to give back. */
const PATIENCE_MS = 1_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;
/** How long a refusal stands for others that ask for as much; spares the database a tenant that hammers. */
const REFUSAL_MS = 100;
const IDLE_MS = 5_000;
const SWEEP_MS = 1_000;

type Refill = { readonly granted: true } | NoRoom;

interface NoRoom {
  readonly granted: false;
  readonly full: FullWindow;
  /** Who asks for no more than this was not refused. */
  readonly beyond: bigint;
  readonly windowEndsAtMs: number;
  /** Other processes hold enough that it might suffice, and have been asked for it. */
  readonly recalled: boolean;
}

/** The headroom this process has leased, by tenant, and its coming and going. */
export class Leases {
  readonly #accounts = new Map<string, Account>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly process: GatewayProcess,
    private readonly meters: Meters,
    private readonly settlements: Settlements,
  ) {}

  /** Begins to hear of changed budgets and recalls, and to give back what lies idle. */
  start(changes: ChangeFeed): void {
    const all = () => void this.giveBackAll([...this.#accounts.values()]);
    changes.on('budget', {
      changed: (tenantId) => this.giveBackOf((account) => account.tenantId === tenantId),
      reset: all,
    });
    changes.on('lease', {
      changed: (windowId) => this.giveBackOf((account) => account.leases.some((l) => String(l.windowId) === windowId)),
      reset: all,
    });
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  account(tenantId: string): Account {
    let account = this.#accounts.get(tenantId);
    if (account === undefined) this.#accounts.set(tenantId, (account = new Account(tenantId)));
    return account;
  }

  /**
   * The way around `account.take` when that has too little: leases more.
   * @throws CodedError `budget_exceeded`, `database_unavailable`
   */
  obtain(account: Account, need: bigint): Promise<Taken> {
    const { refusal } = account;
    if (refusal && need > refusal.beyond && this.stands(refusal)) return Promise.reject(refusal.error(need));
    return new Promise((resolve, reject) => {
      account.waiters.push({ need, resolve, reject, deadlineMs: performance.now() + PATIENCE_MS });
      if (!account.pumping) void this.pump(account);
    });
  }

  /** Gives back what no hold has taken. On failure the database counts too much as leased, until a later attempt. */
  async giveBackAll(accounts: readonly Account[] = [...this.#accounts.values()]): Promise<void> {
    await Promise.all(accounts.map((account) => this.giveBack(account).catch(() => undefined)));
  }

  private giveBackOf(concerned: (account: Account) => boolean): void {
    const accounts = [...this.#accounts.values()].filter(concerned);
    for (const account of accounts) account.refusal = null;
    void this.giveBackAll(accounts);
  }

  private sweep(): void {
    const nowMs = this.meters.now().getTime();
    const idle = [...this.#accounts.values()].filter(
      (account) => Math.abs(nowMs - account.usedAtMs) > IDLE_MS || account.hasPast || account.uncertain,
    );
    void this.giveBackAll(idle);
  }

  private giveBack(account: Account): Promise<void> {
    return account.lane.run(() =>
      this.settlements.lane.run(async () => {
        if (account.dropFree()) {
          const totals = new Map(account.all.map((lease) => [lease.windowId, lease.total]));
          await this.database.platform(this.jobs.for('leases'), (tx) =>
            lowerTo(tx, this.process.id, account.tenantId, totals),
          );
          account.settleUp();
        }
        if (account.idle) this.#accounts.delete(account.tenantId);
      }),
    );
  }

  /** Serves the waiting, one refill for all of them at a time, until none is left. */
  private async pump(account: Account): Promise<void> {
    account.pumping = true;
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      account.serve(this.meters.now().getTime());
      const [first] = account.waiters;
      if (first === undefined) break;
      try {
        const outcome = await account.lane.run(() => this.refill(account));
        if (outcome.granted) pauseMs = FIRST_PAUSE_MS;
        else if (outcome.recalled && performance.now() < first.deadlineMs) {
          await delay(pauseMs);
          pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
        } else this.refuse(account, outcome);
      } catch (error) {
        for (const waiter of account.waiters.splice(0)) waiter.reject(error as Error);
      }
    }
    account.pumping = false;
  }

  /** Asks the database for what the waiting are short of. */
  private async refill(account: Account): Promise<Refill> {
    const now = this.meters.now();
    account.serve(now.getTime());
    const [first] = account.waiters;
    if (first === undefined) return { granted: true };
    const waiting = account.waiters.reduce((sum, { need }) => sum + need, 0n);
    const ahead = aheadOf(account.ahead, first.need, performance.now() - account.refilledAtMs);
    const meters = this.meters.at(now);
    const job = this.jobs.for('leases');
    if (!account.covers(now.getTime()))
      await this.database.platform(job, (tx) => ensureWindows(tx, account.tenantId, meters));

    const wasUncertain = account.uncertain;
    account.uncertain = true;
    const outcome = await this.database.platform(job, async (tx): Promise<Refill | Granted> => {
      if (!(await isInOffice(tx, this.process.id))) throw this.process.fence();
      const rows = await lockWindows(tx, account.tenantId, meters);
      const plans = rows.map((row) => plan(row, leaseOf(account, row), first, waiting, ahead));
      if (plans.every(({ amount }) => amount !== null)) {
        await grant(
          tx,
          this.process.id,
          plans.map(({ row, amount }) => ({ windowId: row.id, amount: amount ?? 0n })),
        );
        return { granted: true, plans };
      }
      const full = plans.filter(({ amount }) => amount === null);
      const others = await leasedByOthers(
        tx,
        this.process.id,
        full.map(({ row }) => row.id),
      );
      const recalled = full.every(({ row, left, short }) => (left ?? 0n) + (others.get(row.id) ?? 0n) >= short);
      if (recalled) for (const { row } of full) tx.announce('lease', String(row.id));
      return noRoom(full, recalled);
    });
    account.uncertain = wasUncertain;
    if (!('plans' in outcome)) return outcome;

    for (const { lease, amount } of outcome.plans) {
      lease.free += amount ?? 0n;
      lease.total += amount ?? 0n;
    }
    account.enter(outcome.plans.map(({ lease }) => lease));
    account.ahead = ahead;
    account.refilledAtMs = performance.now();
    account.refusal = null;
    account.serve(this.meters.now().getTime());
    return { granted: true };
  }

  private stands({ untilMs, windowEndsAtMs }: Refusal): boolean {
    return performance.now() < untilMs && this.meters.now().getTime() < windowEndsAtMs;
  }

  private refuse(account: Account, { full, beyond, windowEndsAtMs }: NoRoom): void {
    const error = (need: bigint): CodedError => budgetExceeded(full, need, this.meters.now());
    account.refusal = { beyond, windowEndsAtMs, untilMs: performance.now() + REFUSAL_MS, error };
    const refused = account.waiters.filter((waiter, index) => index === 0 || waiter.need > beyond);
    account.waiters = account.waiters.filter((waiter) => !refused.includes(waiter));
    for (const waiter of refused) waiter.reject(error(waiter.need));
  }
}

interface Granted {
  readonly granted: true;
  readonly plans: readonly Plan[];
}

interface Plan {
  readonly row: WindowRow;
  readonly lease: WindowLease;
  /** Limit less spent and leased; `null` without a limit. */
  readonly left: bigint | null;
  readonly short: bigint;
  /** What to lease; `null` when there is no room. */
  readonly amount: bigint | null;
}

const leaseOf = (account: Account, row: WindowRow): WindowLease =>
  account.all.find(({ windowId }) => windowId === row.id) ??
  new WindowLease(row.id, row.starts_at.getTime(), row.ends_at.getTime());

const atLeastZero = (amount: bigint): bigint => (amount > 0n ? amount : 0n);

function plan(row: WindowRow, lease: WindowLease, first: Waiter, waiting: bigint, ahead: bigint): Plan {
  const left = row.limit_amount === null ? null : atLeastZero(row.limit_amount - row.spent - row.leased);
  const short = atLeastZero(first.need - lease.free);
  const amount = chunk(left, { need: short, waiting: atLeastZero(waiting - lease.free), ahead });
  return { row, lease, left, short, amount };
}

/** Of several full windows the one that resets last is named: until then nothing helps. */
function noRoom(full: readonly Plan[], recalled: boolean): NoRoom {
  const { row, lease } = full.reduce((last, next) => (next.row.ends_at > last.row.ends_at ? next : last));
  const rooms = full.map(({ left, lease: { free } }) => (left ?? 0n) + free);
  return {
    granted: false,
    recalled,
    windowEndsAtMs: Math.min(...full.map((f) => f.row.ends_at.getTime())),
    beyond: rooms.reduce((least, room) => (room < least ? room : least)),
    full: {
      period: row.period,
      limit: row.limit_amount ?? 0n,
      spent: row.spent,
      held: row.leased - lease.free,
      resetAt: row.ends_at,
    },
  };
}
