import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { Clock, Database, JobPrincipals } from '@app/platform';
import { MINUTE_MS, minuteOf, RequestMinute } from './request-minute';
import { forgetMinutesBefore, takeRequests } from './request-minutes.queries';

/** Long enough for clocks that are set back a little to find their minute as they left it. */
const KEPT_MS = 10 * MINUTE_MS;

type Hits = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * Counts requests in calendar minutes, exactly over all gateway processes: each takes requests of the minute from the database
 * in chunks and lets them through from memory. What it has taken and not used when the minute ends is lost to all, so there
 * are never more than the limit, and there may be a few less.
 */
@Injectable()
export class RequestAllowances implements ThrottlerStorage, OnApplicationShutdown {
  readonly #minutes = new Map<string, RequestMinute>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets one request through, if the minute has one left.
   * @param key what is counted
   * @throws CodedError `database_unavailable` when nothing is at hand and the database is away
   */
  async increment(key: string, ttlMs: number, limit: number): Promise<Hits> {
    const minute = this.minute(key);
    if (minute.take(limit)) return this.hits(minute, false);
    while (!minute.isFull(limit)) {
      minute.waiting++;
      try {
        await (minute.refill ??= this.refill(minute, limit));
      } finally {
        minute.waiting--;
      }
      // What was taken of a minute that is over is for nobody.
      if (this.minute(key) !== minute) return this.increment(key, ttlMs, limit);
      if (minute.take(limit)) return this.hits(minute, false);
    }
    return this.hits(minute, true);
  }

  onApplicationShutdown(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  private minute(key: string): RequestMinute {
    const startsAtMs = minuteOf(this.clock.nowMs());
    const known = this.#minutes.get(key);
    if (known?.startsAtMs === startsAtMs) return known;
    this.#timer ??= setInterval(() => void this.forget(), MINUTE_MS).unref();
    const minute = new RequestMinute(key, startsAtMs);
    this.#minutes.set(key, minute);
    return minute;
  }

  private async refill(minute: RequestMinute, limit: number): Promise<void> {
    const { key, startsAtMs, waiting } = minute;
    const wish = { key, minute: new Date(startsAtMs), limit, waiting, ahead: minute.ahead(performance.now()) };
    try {
      const { granted, taken } = await this.database.platform(this.jobs.for('request-rates'), (tx) =>
        takeRequests(tx, wish),
      );
      minute.granted(granted, taken, limit);
    } finally {
      minute.refill = null;
    }
  }

  private hits(minute: RequestMinute, isBlocked: boolean): Hits {
    const endsInMs = minute.startsAtMs + MINUTE_MS - this.clock.nowMs();
    const seconds = Math.max(1, Math.ceil(endsInMs / 1_000));
    return { totalHits: minute.used, timeToExpire: seconds, isBlocked, timeToBlockExpire: isBlocked ? seconds : 0 };
  }

  private async forget(): Promise<void> {
    const nowMs = this.clock.nowMs();
    for (const [key, { startsAtMs }] of this.#minutes) if (startsAtMs < nowMs - KEPT_MS) this.#minutes.delete(key);
    const before = new Date(nowMs - KEPT_MS);
    await this.database
      .platform(this.jobs.for('request-rates'), (tx) => forgetMinutesBefore(tx, before))
      .catch(() => undefined); // next minute again
  }
}
