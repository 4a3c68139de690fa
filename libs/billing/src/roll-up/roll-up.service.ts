import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { addBooked, reach, selectRollUp, tryLockRollUp } from './roll-up.queries';

const STEP_MS = 10_000;

/**
 * Sums the ledger up by the hour and the day, behind those who book. One process at a time; who finds another at it leaves it the step.
 * Reports add what is booked and not summed up yet, so they are exact however far behind this is.
 */
@Injectable()
export class RollUp implements OnApplicationBootstrap, OnModuleDestroy {
  #timer: NodeJS.Timeout | null = null;
  #stepping = false;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
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

  private async step(): Promise<void> {
    if (this.#stepping) return;
    this.#stepping = true;
    await this.advance(STEP_MS / 2)
      .catch((error: unknown) => this.log.warn({ err: error }, 'the ledger could not be summed up'))
      .finally(() => (this.#stepping = false));
  }
}
