/** A reading that all who ask within some seconds share, so that scrapes cost the database the same however many there are. */
export class SharedReading<T> {
  #latest: Promise<T> | null = null;
  #takenAtMs = -Infinity;

  /** @param lastsMs monotonic */
  constructor(
    private readonly take: () => Promise<T>,
    private readonly lastsMs: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Rejects as taking it does; the next who asks tries again. */
  read(): Promise<T> {
    if (this.#latest === null || this.nowMs() - this.#takenAtMs >= this.lastsMs) {
      const taken = this.take();
      this.#takenAtMs = this.nowMs();
      this.#latest = taken;
      taken.catch(() => {
        if (this.#latest === taken) this.#latest = null;
      });
    }
    return this.#latest;
  }
}
