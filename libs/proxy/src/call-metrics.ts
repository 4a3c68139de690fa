import type { LedgerOutcome } from '@app/billing';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Call } from './money/deal';
import type { Candidate } from './route/router';
import { DIALECT_OF, type Dialect } from './wire';

/** Seconds; models answer between tens of milliseconds and minutes. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export interface CallSummary {
  readonly dialect: Dialect;
  readonly provider: string;
  /** As the provider knows it. */
  readonly upstreamModel: string;
  /** How the call ended; `unsent` when nothing reached the provider, `cached` when nothing had to. */
  readonly outcome: LedgerOutcome | 'unsent' | 'cached';
  /** `null` when the provider never answered. */
  readonly firstByteMs: number | null;
  readonly totalMs: number;
}

/** Of a call that began at `startedMs` and is over now; `index` is that of the candidate it was tried with last. */
export function summaryOf(
  { facts, plan }: Pick<Call, 'facts' | 'plan'>,
  index: number,
  outcome: CallSummary['outcome'],
  startedMs: number,
  firstByteMs: number | null,
): CallSummary {
  const { provider, upstreamModel } = plan.candidates[index] as Candidate;
  const totalMs = performance.now() - startedMs;
  return { dialect: DIALECT_OF[facts.wire], provider, upstreamModel, outcome, firstByteMs, totalMs };
}

/** Prometheus metrics of the model path. Nothing here is per tenant: what a department spends is told by the ledger. */
export class CallMetrics {
  private readonly calls: Counter<'dialect' | 'provider' | 'outcome'>;
  private readonly firstByte: Histogram<'provider'>;
  private readonly duration: Histogram<'provider'>;

  constructor(registry: Registry, active: () => number) {
    const registers = [registry];
    this.calls = new Counter({
      name: 'openclawmu_calls_total',
      help: 'Calls by how they ended; those that are unsent or cached reached no provider.',
      labelNames: ['dialect', 'provider', 'outcome'],
      registers,
    });
    this.firstByte = new Histogram({
      name: 'openclawmu_first_byte_seconds',
      help: "From the arrival of a request to the head of the provider's answer.",
      labelNames: ['provider'],
      buckets: BUCKETS,
      registers,
    });
    this.duration = new Histogram({
      name: 'openclawmu_call_seconds',
      help: 'From the arrival of a request to its settlement.',
      labelNames: ['provider'],
      buckets: BUCKETS,
      registers,
    });
    new Gauge({
      name: 'openclawmu_active_calls',
      help: 'Calls in flight.',
      registers,
      collect() {
        this.set(active());
      },
    });
  }

  ended({ dialect, provider, outcome, firstByteMs, totalMs }: CallSummary): void {
    this.calls.inc({ dialect, provider, outcome });
    // How fast a kept answer is says nothing of the provider.
    if (outcome === 'cached') return;
    if (firstByteMs !== null) this.firstByte.observe({ provider }, firstByteMs / 1000);
    this.duration.observe({ provider }, totalMs / 1000);
  }
}
