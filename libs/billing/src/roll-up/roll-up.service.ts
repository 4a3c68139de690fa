import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock, Config, Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { cutHours, floor } from './cut-hours';
import { addBooked, keepQuarters, reach, selectReachOfMonths, selectRollUp, tryLockRollUp } from './roll-up.queries';

const STEP_MS = 10_000;
const DAY_MS = 86_400_000;
/** Days of the past that a step looks at, and hours that it sums up by quarters at most: a second's work at millions of rows a month. */
const LOOKED_AT_DAYS = 31;
const CUT_HOURS_AT_ONCE = 10;

/**
 * Sums the ledger up by the hour and the day, behind those who book, and the hours in which days of the gateway's time zone begin by
 * quarters. One process at a time; who finds another at it leaves it the step.
 * Reports add what is booked and not summed up yet, so they are exact however far behind this is.
 */
@Injectable()
export class RollUp implements OnApplicationBootstrap, OnModuleDestroy {
  #timer: NodeJS.Timeout | null = null;
  #stepping = false;
  /** Days from here on have been looked at for hours that are cut, while these months were out of the ledger. */
  #kept: { readonly from: Date; readonly archived: string } | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly config: Config,
    private readonly clock: Clock,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.step(), STEP_MS).unref();
  }

  onModuleDestroy(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  /**
   * Adds all that is booked by now. In two transactions: the first has the ledger for itself and is short, the second is long
   * and keeps nobody from booking.
   * @param olderThanMs nothing is done if another process did it less than that ago
   */
  async advance(olderThanMs = 0): Promise<void> {
    const principal = this.jobs.for('ledger roll-up');
    await this.database.platform(principal, async (tx) => {
      if (await tryLockRollUp(tx)) await reach(tx, olderThanMs);
    });
    await this.database.platform(principal, async (tx) => {
      if (!(await tryLockRollUp(tx))) return;
      const state = await selectRollUp(tx);
      if (state.bookedUpTo < state.reaching) await addBooked(tx, state);
    });
  }

  /** Has the hours kept by quarters in which days of the gateway's time zone begin: those to come, and at each call some of the past. */
  async keepCutHours(): Promise<void> {
    const { timezone } = this.config.current;
    const today = floor(this.clock.now(), DAY_MS);
    const ahead = { from: today, to: daysAfter(today, 2) };
    this.#kept = await this.database.platform(this.jobs.for('ledger roll-up'), async (tx) => {
      if (!(await tryLockRollUp(tx))) return this.#kept;
      const { first, archived } = await selectReachOfMonths(tx);
      // Hours of a month that was out of the ledger were passed over, so all is looked at again once one is back.
      const to = this.#kept?.archived === archived ? this.#kept.from : today;
      const back = { from: daysAfter(to, -LOOKED_AT_DAYS), to };
      const periods = first !== null && first < to ? [ahead, back] : [ahead];
      const hours = periods.flatMap((period) => cutHours(period, timezone));
      const isAll = hours.length === 0 || (await keepQuarters(tx, hours, CUT_HOURS_AT_ONCE)) < CUT_HOURS_AT_ONCE;
      return { from: isAll && periods.includes(back) ? back.from : to, archived };
    });
  }

  private async step(): Promise<void> {
    if (this.#stepping) return;
    this.#stepping = true;
    await this.advance(STEP_MS / 2)
      .then(() => this.keepCutHours())
      .catch((error: unknown) => this.log.warn({ err: error }, 'the ledger could not be summed up'))
      .finally(() => (this.#stepping = false));
  }
}

const daysAfter = (at: Date, days: number): Date => new Date(at.getTime() + days * DAY_MS);
