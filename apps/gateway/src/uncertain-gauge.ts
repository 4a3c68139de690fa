import type { UncertainRows } from '@app/billing';
import type { Principal } from '@app/platform';
import { Gauge, type Registry } from 'prom-client';
import { SharedReading } from './shared-reading';

/** The whole ledger is asked, and nothing has to be done about it within minutes. */
const LASTS_MS = 60_000;

/** What of the ledger waits for somebody to look at it; read from the database when it is asked for. */
export function registerUncertainGauge(registry: Registry, rows: UncertainRows, principal: Principal): void {
  const reading = new SharedReading(() => rows.counts(principal), LASTS_MS);
  new Gauge({
    name: 'openclawmu_uncertain_rows',
    help: 'Calls billed at an estimate or at their worst case that nobody has corrected.',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      // While the database is away nobody knows, and the series are missing.
      const counts = await reading.read().catch(() => null);
      this.reset();
      for (const [status, count] of Object.entries(counts ?? {})) this.set({ status }, Number(count));
    },
  });
}
