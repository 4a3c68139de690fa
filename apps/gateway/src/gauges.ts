import type { AuditExporter } from '@app/audit';
import { formatNanos } from '@app/platform';
import type { Quota, QuotaFacts } from '@app/quota';
import type { WebhookDeliverer } from '@app/webhooks';
import { Gauge, type Registry } from 'prom-client';

type Reading = readonly [name: string, help: string, read: (facts: QuotaFacts) => number];

/** Seconds and units as Prometheus wants them; amounts are of the rate card's currency. */
const MONEY: readonly Reading[] = [
  ['openclawmu_open_holds', 'Requests whose worst case is held and not settled.', (f) => f.openHolds],
  ['openclawmu_held_amount', 'What these holds amount to.', (f) => Number(formatNanos(f.heldNanos))],
  ['openclawmu_journal_bytes', 'Size of the journal of this process.', (f) => f.journalBytes],
  [
    'openclawmu_journal_writable',
    '1 while holds can be written; 0 means that work is refused.',
    (f) => Number(f.journalWritable),
  ],
  ['openclawmu_unflushed_rows', 'Settled calls that are not in the database yet.', (f) => f.unflushedRows],
  [
    'openclawmu_settlement_lag_seconds',
    'How long the oldest of these has waited since it was settled.',
    (f) => f.lagMs / 1000,
  ],
  [
    'openclawmu_refused_rows',
    'Settled calls that the database refused; somebody must look at the log.',
    (f) => f.refusedRows,
  ],
  [
    'openclawmu_enforcement_error_amount',
    'Usage that no lease covered. Must read 0.',
    (f) => Number(formatNanos(f.uncoveredNanos)),
  ],
  ['openclawmu_enforcement_error_tokens', 'The same in tokens. Must read 0.', (f) => Number(f.uncoveredTokens)],
  [
    'openclawmu_fenced',
    '1 if another process took this one for dead, or its database has become an older copy: it accepts no work.',
    (f) => Number(f.fenced !== null),
  ],
  [
    'openclawmu_missing_commits',
    'What it has committed and the database does not know, because that has become an older copy.',
    (f) => f.missingCommits,
  ],
];

/** Metrics that are read when they are asked for. */
export function registerGauges(registry: Registry, quota: Quota, exporter: AuditExporter): void {
  for (const [name, help, read] of MONEY) {
    gauge(registry, name, help, () => read(quota.facts()));
  }
  gauge(
    registry,
    'openclawmu_audit_exported_seq',
    'Last audit record in the files; 0 in a process that does not export.',
    () => exporter.status.seq,
  );
  gauge(registry, 'openclawmu_audit_export_halted', '1 if the audit export stopped and somebody must look.', () =>
    Number(exporter.status.state === 'halted'),
  );
}

export function registerWebhookGauges(registry: Registry, deliverer: WebhookDeliverer): void {
  gauge(
    registry,
    'openclawmu_webhooks_pending',
    'Notices on their way, of all processes.',
    () => deliverer.facts.pending,
  );
  gauge(registry, 'openclawmu_webhooks_dead', 'Notices given up, of all processes.', () => deliverer.facts.dead);
  gauge(
    registry,
    'openclawmu_webhooks_delivered',
    'Notices this process has delivered since its start.',
    () => deliverer.facts.delivered,
  );
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
