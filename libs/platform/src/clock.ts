/** The time, as a dependency: windows, expiry and rate cards are decided by it, so tests must be able to move it. */
export abstract class Clock {
  abstract now(): Date;

  /** The same in ms since the epoch, for what each call asks. */
  nowMs(): number {
    return this.now().getTime();
  }
}

export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }

  override nowMs(): number {
    return Date.now();
  }
}
