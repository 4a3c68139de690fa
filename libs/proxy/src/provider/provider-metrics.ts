import { Counter, Gauge, type Registry } from 'prom-client';
import type { BreakerState } from './breaker';
import type { ProviderView } from './provider.dto';

const OPENNESS: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

const READINGS: readonly (readonly [name: string, help: string, read: (provider: ProviderView) => number | null])[] = [
  [
    'openclawmu_provider_breaker',
    '0 while calls go to a provider, 2 while it is spared because it failed, 1 while one call tries.',
    ({ breaker }) => OPENNESS[breaker],
  ],
  [
    'openclawmu_provider_keys_aside',
    'Keys that are set aside because the provider refused or limits them.',
    (p) => p.keysAside,
  ],
  ['openclawmu_provider_calls', 'Calls under way, where they are limited.', ({ inside }) => inside],
  ['openclawmu_provider_waiting', 'Calls that wait for their turn, where calls are limited.', (p) => p.waiting],
];

/** Prometheus metrics of the providers, read when they are asked for. */
export function registerProviderMetrics(registry: Registry, providers: () => readonly ProviderView[]): void {
  const registers = [registry];
  const labelNames = ['provider'];
  for (const [name, help, read] of READINGS)
    new Gauge({
      ...{ name, help, labelNames, registers },
      collect() {
        this.reset();
        for (const provider of providers()) {
          const value = read(provider);
          if (value !== null) this.set({ provider: provider.name }, value);
        }
      },
    });
  new Counter({
    name: 'openclawmu_provider_retries_total',
    help: 'Attempts that failed at a provider and were made again, there or elsewhere.',
    ...{ labelNames, registers },
    collect() {
      this.reset();
      for (const { name, retried } of providers()) this.inc({ provider: name }, retried);
    },
  });
}
