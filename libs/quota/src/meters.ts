import type { Clock } from '@app/platform';
import { type Calendar, type Meter, METERS, type MeterWindow, type Window } from './windows';

/** What is counted at this moment: every meter in the window it is in. */
export class Meters {
  constructor(
    private readonly clock: Clock,
    private readonly calendar: Calendar,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  dayOf(now: Date): Window {
    return this.calendar.windowOf('day', now.getTime());
  }

  /** @param meters all of them if left out */
  at(now: Date, meters: readonly Meter[] = METERS): MeterWindow[] {
    return meters.map((meter) => ({ ...meter, window: this.calendar.windowOf(meter.period, now.getTime()) }));
  }
}
