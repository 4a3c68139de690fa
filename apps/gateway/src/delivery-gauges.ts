import type { DeliveryRunner } from '@app/billing';
import { Gauge, type Registry } from 'prom-client';

type Standing = DeliveryRunner['standings'][number];

const READINGS: readonly (readonly [name: string, help: string, read: (standing: Standing) => number])[] = [
  [
    'openclawmu_delivery_failing_runs',
    'Runs of a delivery that failed and that no later one has made good.',
    (standing) => standing.failing,
  ],
  [
    'openclawmu_delivery_last_success_timestamp_seconds',
    'When a run of a delivery was last finished; 0 for never.',
    (standing) => (standing.lastSuccessAt?.getTime() ?? 0) / 1000,
  ],
];

/** The same in every process: what it last saw of the runs of all. */
export function registerDeliveryGauges(registry: Registry, runner: DeliveryRunner): void {
  for (const [name, help, read] of READINGS)
    new Gauge({
      name,
      help,
      labelNames: ['delivery'],
      registers: [registry],
      collect() {
        this.reset();
        for (const standing of runner.standings) this.set({ delivery: standing.delivery }, read(standing));
      },
    });
}
