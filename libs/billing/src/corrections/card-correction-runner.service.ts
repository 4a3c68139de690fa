import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ChangeFeed, JobPrincipals, LOG, type Log, type Principal } from '@app/platform';
import { CorrectionBooking } from './booking.service';
import { CardCorrections } from './card-corrections.service';

/** What is booked late with a former price is corrected within this. */
const AGAIN_MS = 300_000;
const RETRY_MS = 5_000;

/** Books what follows from corrected rate cards, a batch at a time; any process may, and each goes on where another has ended. */
@Injectable()
export class CardCorrectionRunner implements OnModuleDestroy {
  #isWanted = false;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly corrections: CardCorrections,
    private readonly booking: CorrectionBooking,
    private readonly jobs: JobPrincipals,
    private readonly changes: ChangeFeed,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** Begins as soon as there are budgets that corrections can be counted in. */
  start(): void {
    const run = (): void => this.run();
    this.changes.on('card_correction', { changed: run, reset: run });
    void this.booking.connected.then(run);
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
  }

  private run(): void {
    this.#isWanted = true;
    if (!this.booking.isConnected) return;
    this.#running ??= this.follow().finally(() => (this.#running = null));
  }

  private async follow(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    let failed = false;
    while (this.#isWanted && !this.#stopped && !failed) {
      this.#isWanted = false;
      try {
        const principal = this.jobs.for('rate card corrections');
        for (const version of await this.corrections.due(principal))
          failed = !(await this.pass(principal, version)) || failed;
      } catch (error) {
        failed = true;
        this.log.warn({ err: error }, 'the corrections of rate cards wait; they go on where they were');
      }
    }
    if (!this.#stopped) this.#timer = setTimeout(() => this.run(), failed ? RETRY_MS : AGAIN_MS).unref();
  }

  /** Whether it came to its end. One card that cannot go on keeps no other waiting. */
  private async pass(principal: Principal, version: number): Promise<boolean> {
    try {
      while (!this.#stopped && (await this.corrections.step(principal, version)));
      return true;
    } catch (error) {
      this.log.warn(
        { err: error, rateCard: version },
        'the corrections of a rate card wait; they go on where they were',
      );
      return false;
    }
  }
}
