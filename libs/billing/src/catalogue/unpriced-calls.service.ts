import { Inject, Injectable } from '@nestjs/common';
import { Clock, LOG, type Log } from '@app/platform';
import { Gauge, Registry } from 'prom-client';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Names come from callers, and nobody must fill the memory with invented ones. */
const MAX_MODELS = 1_000;

/** Models whose calls were refused because the card in force does not price them: somebody waits for a price. */
@Injectable()
export class UnpricedCalls {
  /** When each was refused last, and warned of last. */
  readonly #models = new Map<string, { refusedAt: number; warnedAt: number }>();

  constructor(
    private readonly clock: Clock,
    registry: Registry,
    @Inject(LOG) private readonly log: Log,
  ) {
    const count = (): number => this.models().length;
    new Gauge({
      name: 'openclawmu_unpriced_models',
      help: 'Models refused by this process within the last day because the rate card in force does not price them.',
      registers: [registry],
      collect() {
        this.set(count());
      },
    });
  }

  /** A call was refused. Warns of each model once an hour. */
  refused(model: string): void {
    const now = this.clock.now().getTime();
    const known = this.#models.get(model);
    if (!known && this.#models.size >= MAX_MODELS) this.forget(now);
    if (!known && this.#models.size >= MAX_MODELS) return;
    const isDue = !known || now - known.warnedAt >= HOUR_MS;
    this.#models.set(model, { refusedAt: now, warnedAt: isDue ? now : known.warnedAt });
    if (isDue) this.log.warn({ model }, 'calls of a model are refused: the rate card in force has no price for it');
  }

  /** Those of the last day, by name. */
  models(): string[] {
    this.forget(this.clock.now().getTime());
    return [...this.#models.keys()].sort();
  }

  private forget(now: number): void {
    for (const [model, { refusedAt }] of this.#models) if (now - refusedAt >= DAY_MS) this.#models.delete(model);
  }
}
