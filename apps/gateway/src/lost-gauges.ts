import type { Principal } from '@app/platform';
import type { LostProcesses } from '@app/quota';
import { Gauge, type Registry } from 'prom-client';
import { SharedReading } from './shared-reading';

const LASTS_MS = 3_000;

/** What processes that are gone for good have taken with them; read from the database when it is asked for. */
export function registerLostGauges(registry: Registry, lost: LostProcesses, principal: Principal): void {
  const reading = new SharedReading(() => lost.list(principal), LASTS_MS);
  // While the database is away nobody knows, and the series are missing.
  const known = () => reading.read().catch(() => null);
  new Gauge({
    name: 'openclawmu_lost_processes',
    help: 'Gateway processes that are gone with their journal and wait for a decision.',
    registers: [registry],
    async collect() {
      const processes = await known();
      if (processes) this.set(processes.length);
      else this.remove();
    },
  });
  new Gauge({
    name: 'openclawmu_lost_amount',
    help: 'What these had leased of budgets: cost in the currency of the rate card, or tokens.',
    labelNames: ['tenant', 'scope', 'metric', 'period'],
    registers: [registry],
    async collect() {
      const processes = await known();
      this.reset();
      for (const { tenantId, scope, metric, period, amount } of (processes ?? []).flatMap(({ leased }) => leased))
        this.inc({ tenant: tenantId ?? '', scope, metric, period }, Number(amount));
    },
  });
}
