import type { Log } from './log';

/** Something that is tried again and again, and may fail for hours: the log has its beginning and its end, not each attempt between. */
export class Outage {
  #lasts = false;

  constructor(
    private readonly log: Log,
    private readonly begun: string,
    private readonly over: string,
  ) {}

  failed(error: unknown, facts: object = {}): void {
    if (!this.#lasts) this.log.warn({ err: error, ...facts }, this.begun);
    this.#lasts = true;
  }

  succeeded(): void {
    if (this.#lasts) this.log.info(this.over);
    this.#lasts = false;
  }
}
