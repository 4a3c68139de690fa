/** The time, as a dependency: windows, expiry and rate cards are decided by it, so tests must be able to move it. */
export abstract class Clock {
  abstract now(): Date;
}

export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
}
