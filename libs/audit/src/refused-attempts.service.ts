import { Inject, Injectable } from '@nestjs/common';
import { Database, JobPrincipals, LOG, Outage, type Log } from '@app/platform';
import { append } from './audit.service';
import { Overflow } from './overflow';
import { draftOf, draftOfMany, type RefusedAttempt } from './refused-attempt';
import { RefusedLane } from './refused-lane';

const FLUSH_MS = 200;
const RETRY_MS = 1_000;
/** How often a flood is summed up. */
const SUMMARY_MS = 10_000;

/**
 * Records refused calls, away from the request's path. A flood of them neither fills the disk nor holds up the chain: what
 * exceeds a bounded rate is summed into one record with counts, so that nothing goes unmentioned. Tenants, administrators and
 * those without a key have a rate each: none can hide among its own what another tried.
 */
@Injectable()
export class RefusedAttempts {
  private readonly outage: Outage;
  private readonly lanes = new Map<string, RefusedLane>();
  private overflow = new Overflow();
  private summedAtMs = 0;
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    @Inject(LOG) log: Log,
  ) {
    this.outage = new Outage(
      log,
      'refused calls could not be recorded; trying again',
      'refused calls are recorded again',
    );
  }

  /** Returns at once; the record follows within a second. */
  record(attempt: RefusedAttempt): void {
    if (!this.laneOf(attempt).add(() => draftOf(attempt))) this.overflow.add(attempt, new Date());
    this.schedule(FLUSH_MS);
  }

  /** Resolves when everything so far is recorded, or could not be: for the end of the process. */
  async drain(): Promise<void> {
    this.summedAtMs = 0;
    await this.flush();
  }

  private laneOf({ principal }: RefusedAttempt): RefusedLane {
    const kind = principal?.kind ?? 'anonymous';
    const known = this.lanes.get(kind);
    if (known) return known;
    const lane = new RefusedLane();
    this.lanes.set(kind, lane);
    return lane;
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
    const sum = Date.now() - this.summedAtMs >= SUMMARY_MS ? this.overflow : new Overflow();
    const taken = [...this.lanes.values()].map((lane) => ({ lane, drafts: lane.take() }));
    const drafts = taken.flatMap((one) => one.drafts);
    if (drafts.length === 0 && sum.count === 0) {
      if (this.overflow.count > 0) this.schedule(SUMMARY_MS);
      return;
    }
    if (sum === this.overflow) this.overflow = new Overflow();
    if (sum.count > 0) drafts.push(draftOfMany(sum.view()));
    try {
      await this.database.platform(this.jobs.for('refused-attempts'), async (tx) => {
        for (const each of drafts) await append(tx, each);
      });
      this.outage.succeeded();
      if (sum.count > 0) this.summedAtMs = Date.now();
    } catch (error) {
      this.outage.failed(error, { waiting: drafts.length });
      for (const { lane, drafts } of taken) lane.putBack(drafts);
      this.overflow = sum.merge(this.overflow);
    }
    if (this.overflow.count > 0 || [...this.lanes.values()].some((lane) => !lane.isEmpty)) this.schedule(RETRY_MS);
  }
}
