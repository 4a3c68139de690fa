import type { CodedError } from '@app/platform';
import { Counter, type Registry } from 'prom-client';

/** Model calls that the gateway itself refused, by its error code and, for limits, whose it was. */
export class RefusalCounter {
  private readonly counter: Counter<'reason' | 'scope'>;

  constructor(registry: Registry) {
    this.counter = new Counter({
      name: 'openclawmu_refusals_total',
      help: 'Model calls that were refused, by error code and by whose limit it was.',
      labelNames: ['reason', 'scope'],
      registers: [registry],
    });
  }

  refused({ code, details }: CodedError): void {
    const scope = details?.['scope'];
    this.counter.inc({ reason: code, scope: typeof scope === 'string' ? scope : '' });
  }
}
