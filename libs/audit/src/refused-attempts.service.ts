import { Inject, Injectable } from '@nestjs/common';
import { Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { append } from './audit.service';
import type { Draft } from './entry';
import { Overflow } from './overflow';
import { draftOf, draftOfMany, type RefusedAttempt } from './refused-attempt';

/** So many may come at once and each get a record of its own. */
const BURST = 60;
/** Later ones get their own at this rate; the rest is counted. Bounds what a flood can write to about 50 MB a day. */
const REFILL_MS = 1_000;
const FLUSH_MS = 200;
/** How often a flood is summed up. */
const SUMMARY_MS = 10_000;

/**
 * Records refused calls, away from the request's path. A flood of them neither fills the disk nor holds up the chain: what
 * exceeds a bounded rate is summed into one record with counts, so that nothing goes unmentioned.
 */
@Injectable()
export class RefusedAttempts {
  private waiting: Draft[] = [];
  private overflow = new Overflow();
  private allowance = BURST;
  private refilledAtMs = Date.now();
  private summedAtMs = 0;
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** Returns at once; the record follows within a second. */
  record(attempt: RefusedAttempt): void {
    if (this.takeAllowance()) this.waiting.push(draftOf(attempt));
    else this.overflow.add(attempt, new Date());
    this.schedule(FLUSH_MS);
  }

  /** Resolves when everything so far is recorded, or could not be: for the end of the process. */
  async drain(): Promise<void> {
    this.summedAtMs = 0;
    await this.flush();
  }

  /** What cannot be written now waits for later; it is bounded, because it holds allowance. */
  private takeAllowance(): boolean {
    const refill = Math.floor((Date.now() - this.refilledAtMs) / REFILL_MS);
    if (refill > 0) {
      this.allowance = Math.min(BURST, this.allowance + refill);
      this.refilledAtMs = Date.now();
    }
    if (this.allowance === 0 || this.waiting.length >= BURST) return false;
    this.allowance--;
    return true;
  }

  private schedule(delayMs: number): void {
    if (this.timer) return;
    this.timer = setTimeout(() => void this.flush(), delayMs);
    this.timer.unref();
  }

  private flush(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    const singles = this.waiting;
    const sum = Date.now() - this.summedAtMs >= SUMMARY_MS ? this.overflow : new Overflow();
    if (singles.length === 0 && sum.count === 0) {
      if (this.overflow.count > 0) this.schedule(SUMMARY_MS);
      return;
    }
    this.waiting = [];
    if (sum === this.overflow) this.overflow = new Overflow();
    const drafts = sum.count === 0 ? singles : [...singles, draftOfMany(sum.view())];
    try {
      await this.database.platform(this.jobs.for('refused-attempts'), async (tx) => {
        for (const each of drafts) await append(tx, each);
      });
      if (sum.count > 0) this.summedAtMs = Date.now();
    } catch (error) {
      this.log.warn({ err: error, waiting: drafts.length }, 'refused calls could not be recorded; trying again');
      this.waiting = [...singles, ...this.waiting];
      this.overflow = sum.merge(this.overflow);
    }
    if (this.waiting.length > 0 || this.overflow.count > 0) this.schedule(REFILL_MS);
  }
}
