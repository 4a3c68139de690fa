import type { Clock } from '@app/platform';
import { type Calendar, METERS } from './windows';
import type { MeterWindow } from './windows.queries';

/** What is counted for a tenant at this moment: every meter in the window it is in. */
export class Meters {
  constructor(
    private readonly clock: Clock,
    private readonly calendar: Calendar,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  at(now: Date): MeterWindow[] {
    return METERS.map((meter) => ({ ...meter, window: this.calendar.windowOf(meter.period, now.getTime()) }));
  }
}
