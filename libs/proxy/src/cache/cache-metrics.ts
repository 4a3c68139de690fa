import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';

/** What became of a question, or of an answer that was to be kept. */
export type CacheResult = 'hit' | 'miss' | 'joined' | 'stored' | 'failed';

/** Prometheus counters of the response cache, of all tenants together. */
@Injectable()
export class CacheMetrics {
  private readonly results: Counter<'result'>;

  constructor(registry: Registry) {
    this.results = new Counter({
      name: 'openclawmu_cache_total',
      help: "Calls that the response cache answered (hit) or did not (miss), of both those that waited for another's answer (joined); answers it kept (stored), and what it could not read or keep (failed).",
      labelNames: ['result'],
      registers: [registry],
    });
  }

  count(result: CacheResult): void {
    this.results.inc({ result });
  }
}
