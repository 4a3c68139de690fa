import type { Log } from '@app/platform';
import { Counter, type Registry } from 'prom-client';

type Signal = 'traces' | 'metrics';

/** Tells of telemetry that does not arrive: in the metrics each time, in the log once until it arrives again. */
export class TelemetryFaults {
  readonly #dropped: Counter<'reason'>;
  readonly #failed: Counter<'signal'>;
  readonly #failing = new Set<Signal>();
  #isFull = false;

  constructor(
    registry: Registry,
    private readonly log: Log,
  ) {
    const registers = [registry];
    this.#dropped = new Counter({
      name: 'openclawmu_telemetry_dropped_spans_total',
      help: 'Spans that did not reach the collector.',
      labelNames: ['reason'],
      registers,
    });
    this.#failed = new Counter({
      name: 'openclawmu_telemetry_failed_exports_total',
      help: 'Exports of traces or metrics that failed, further attempts included.',
      labelNames: ['signal'],
      registers,
    });
  }

  readonly dropped = (count: number, reason: 'queue_full' | 'export_failed'): void => {
    this.#dropped.inc({ reason }, count);
    if (reason === 'export_failed' || this.#isFull) return;
    this.#isFull = true;
    this.log.warn('the collector is too slow or away: spans are dropped until there is room again');
  };

  /** @param error null for an export that arrived */
  exported(signal: Signal, error: Error | undefined | null): void {
    if (error === null) {
      if (signal === 'traces') this.#isFull = false;
      if (this.#failing.delete(signal)) this.log.info({ signal }, 'telemetry reaches the collector again');
      return;
    }
    this.#failed.inc({ signal });
    if (this.#failing.has(signal)) return;
    this.#failing.add(signal);
    this.log.warn({ signal, err: error }, 'telemetry does not reach the collector; calls go on without it');
  }
}
