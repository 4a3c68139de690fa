import type { ChangeFeed, Database, JobPrincipals, Tx } from '@app/platform';
import { Account, type Refusal, type Taken, type Waiter } from './account';
import { allot, type Grant } from './allot';
import { type Amounts, amounts } from './amounts';
import { budgetExceeded } from './budget-exceeded';
import { aheadOf } from './chunk';
import type { GatewayProcess } from './gateway-process.service';
import { grant, isInOffice, leasedByOthers, lowerTo } from './leases.queries';
import type { Meters } from './meters';
import type { Settlements } from './settlements.service';
import { Standing, standingOf } from './standing';
import { WindowLease } from './window-lease';
import { ensureWindows, lockWindows, type WindowRow } from './windows.queries';

/** How many requests of one tenant wait for headroom at a time; more are refused at once, so that memory stays bounded. */
const MOST_WAITING = 1_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;
/** How long a refusal stands for others that ask for as much; spares the database a tenant that hammers. */
const REFUSAL_MS = 100;
const IDLE_MS = 5_000;
const SWEEP_MS = 1_000;

/** What requests are measured by, and how patient they are. */
export interface LeaseRules {
  readonly meters: Meters;
  /** How long a request waits for headroom that is held, in ms. */
  readonly waitMs: () => number;
}

/** The headroom this process has leased, by tenant, and its coming and going. */
export class Leases {
  readonly #accounts = new Map<string, Account>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly process: GatewayProcess,
    private readonly rules: LeaseRules,
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
   * The way around `account.take` when that has too little: leases more. If what is lacking is only held, by requests under
   * way or by other processes, it waits for some of that to come back: first come first served, passing over whom it does
   * not suffice for, so that a request which asks for much does not keep the others out.
   * @throws BudgetExceeded
   * @throws CodedError `database_unavailable`
   */
  obtain(account: Account, need: Amounts, mayWait: boolean): Promise<Taken> {
    const refused = this.refusedAtOnce(account, need, mayWait);
    if (refused) return Promise.reject(budgetExceeded(refused, need, this.rules.meters.now()));
    return new Promise((resolve, reject) => {
      account.waiters.push({
        need,
        resolve,
        reject,
        deadlineMs: performance.now() + (mayWait ? this.rules.waitMs() : 0),
      });
      if (!account.pumping) void this.pump(account);
      else if (account.stalled?.hasRoom(need)) account.wake();
    });
  }

  /** Something of a tenant's holds is free again. */
  cameBack(tenantId: string): void {
    const account = this.#accounts.get(tenantId);
    if (account && account.waiters.length > 0) account.serve(this.rules.meters.now().getTime());
  }

  /** Gives back what no hold has taken. On failure the database counts too much as leased, until a later attempt. */
  async giveBackAll(accounts: readonly Account[] = [...this.#accounts.values()]): Promise<void> {
    await Promise.all(accounts.map((account) => this.giveBack(account).catch(() => undefined)));
  }

  private giveBackOf(concerned: (account: Account) => boolean): void {
    const accounts = [...this.#accounts.values()].filter(concerned);
    for (const account of accounts) account.refusal = null;
    void this.giveBackAll(accounts).then(() => accounts.forEach((account) => account.wake()));
  }

  private sweep(): void {
    const nowMs = this.rules.meters.now().getTime();
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
      account.serve(this.rules.meters.now().getTime());
      if (account.waiters.length === 0) break;
      try {
        const standing = await account.lane.run(() => this.refill(account));
        if (standing === null) {
          pauseMs = FIRST_PAUSE_MS;
          continue;
        }
        this.refuse(account, standing);
        await account.stall(standing, pauseMs);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      } catch (error) {
        for (const waiter of account.waiters.splice(0)) waiter.reject(error as Error);
      }
    }
    account.pumping = false;
  }

  /**
   * Asks the database for what the waiting are short of.
   * @returns how the windows stand if there is room for none of them
   */
  private async refill(account: Account): Promise<Standing | null> {
    const now = this.rules.meters.now();
    account.serve(now.getTime());
    if (account.waiters.length === 0) return null;
    const meters = this.rules.meters.at(now);
    const job = this.jobs.for('leases');
    if (!account.covers(now.getTime()))
      await this.database.platform(job, (tx) => ensureWindows(tx, account.tenantId, meters));

    const wasUncertain = account.uncertain;
    account.uncertain = true;
    const outcome = await this.database.platform(job, async (tx): Promise<Granted | Standing> => {
      if (!(await isInOffice(tx, this.process.id))) throw this.process.fence();
      const rows = await lockWindows(tx, account.tenantId, meters);
      const sources = rows.map((row) => ({ row, lease: leaseOf(account, row) }));
      const standing = standingOf(sources);
      const needs = account.waiters.map(({ need }) => need);
      const [next, ...others] = needs.filter((need) => standing.hasRoom(need));
      if (next === undefined) {
        await this.recall(tx, standing, needs);
        return standing;
      }
      const sinceMs = performance.now() - account.refilledAtMs;
      const ahead = amounts((metric) => aheadOf(account.ahead[metric], next[metric], sinceMs));
      const grants = allot(sources, [next, ...others], ahead);
      await grant(
        tx,
        this.process.id,
        grants.map(({ lease: { windowId }, amount }) => ({ windowId, amount })),
      );
      return { grants, ahead };
    });
    account.uncertain = wasUncertain;
    if (outcome instanceof Standing) return outcome;

    for (const { lease, amount } of outcome.grants) {
      lease.free += amount;
      lease.total += amount;
    }
    account.enter(outcome.grants.map(({ lease }) => lease));
    account.ahead = outcome.ahead;
    account.refilledAtMs = performance.now();
    account.refusal = null;
    account.serve(this.rules.meters.now().getTime());
    return null;
  }

  /** Asks other processes for what they have at hand of windows that have no room for those who wait here. */
  private async recall(tx: Tx, { windows }: Standing, needs: readonly Amounts[]): Promise<void> {
    const short = windows.filter(({ metric, room, most }) =>
      needs.some((need) => need[metric] > room && need[metric] <= most),
    );
    const others = await leasedByOthers(
      tx,
      this.process.id,
      short.map(({ id }) => id),
    );
    for (const id of others.keys()) tx.announce('lease', String(id));
  }

  /** Of those who found no room, refuses who has waited long enough, and whom waiting cannot help. */
  private refuse(account: Account, standing: Standing): void {
    const nowMs = performance.now();
    account.refusal = { standing, untilMs: nowMs + REFUSAL_MS };
    const [waiting, refused] = [[] as Waiter[], [] as Waiter[]];
    for (const waiter of account.waiters) {
      const { need, deadlineMs } = waiter;
      const stays = standing.hasRoom(need) || (standing.mayHaveRoom(need) && nowMs < deadlineMs);
      (stays ? waiting : refused).push(waiter);
    }
    account.waiters = waiting;
    for (const { need, reject } of refused) reject(budgetExceeded(standing, need, this.rules.meters.now()));
  }

  /** How the windows stand, if that tells without asking again that this request is refused. */
  private refusedAtOnce({ refusal, stalled, waiters }: Account, need: Amounts, mayWait: boolean): Standing | null {
    if (refusal && !refusal.standing.mayHaveRoom(need) && !refusal.standing.hasRoom(need) && this.stands(refusal))
      return refusal.standing;
    return stalled && (!mayWait || waiters.length >= MOST_WAITING) && !stalled.hasRoom(need) ? stalled : null;
  }

  private stands({ untilMs, standing }: Refusal): boolean {
    return performance.now() < untilMs && this.rules.meters.now().getTime() < standing.endsAtMs;
  }
}

interface Granted {
  readonly grants: readonly Grant[];
  readonly ahead: Amounts;
}

const leaseOf = (account: Account, row: WindowRow): WindowLease =>
  account.all.find(({ windowId }) => windowId === row.id) ??
  new WindowLease(row.id, row.metric, row.starts_at.getTime(), row.ends_at.getTime());
