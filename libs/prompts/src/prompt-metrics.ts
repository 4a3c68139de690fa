import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';

/** Prometheus counters of the prompt log, of all tenants together. */
@Injectable()
export class PromptMetrics {
  readonly #lost: Counter;
  readonly #recovered: Counter;

  constructor(registry: Registry) {
    this.#lost = new Counter({
      name: 'openclawmu_prompt_log_lost_total',
      help: 'Calls of tenants with a prompt log that are not in it.',
      registers: [registry],
    });
    this.#recovered = new Counter({
      name: 'openclawmu_prompt_log_recovered_total',
      help: 'Entries of the prompt log that another process had noted before it ended, and this one has written.',
      registers: [registry],
    });
  }

  lost(entries: number): void {
    this.#lost.inc(entries);
  }

  recovered(entries: number): void {
    this.#recovered.inc(entries);
  }
}
