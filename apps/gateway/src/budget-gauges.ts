import type { LedgerFigures } from '@app/billing';
import { formatNanos, type Principal } from '@app/platform';
import type { BudgetFigures } from '@app/quota';
import { Gauge, type Registry } from 'prom-client';
import { SharedReading } from './shared-reading';

type Windows = Awaited<ReturnType<BudgetFigures['read']>>;
type Window = Windows[number];

const AMOUNTS: readonly (readonly [name: string, help: string, read: (window: Window) => bigint | null])[] = [
  ['openclawmu_budget_spent', 'Used in the period under way, by calls that have ended.', (w) => w.spent],
  ['openclawmu_budget_held', 'Set aside for calls under way, and headroom that processes keep at hand.', (w) => w.held],
  ['openclawmu_budget_limit', 'The most that may be used in it; missing where nothing is limited.', (w) => w.limit],
  ['openclawmu_budget_top_up', 'The part of the limit that was added to this period alone.', (w) => w.topUp],
  ['openclawmu_budget_written_off', 'The part of spent that lost machines leave; no row has it.', (w) => w.writtenOff],
  ['openclawmu_budget_enforcement_error', 'Above the limit, or not covered. Must read 0.', (w) => w.enforcementError],
];

const LABELS = ['tenant', 'scope', 'target', 'metric', 'period'] as const;

/** How long scrapes share a reading, in ms. */
const LASTS_MS = 3_000;

/**
 * How every budget stands and what in the ledger is unsure, read from the database when it is asked for. Series of a budget
 * are missing while the database is away: nobody knows then.
 */
export function registerBudgetGauges(
  registry: Registry,
  budgets: BudgetFigures,
  ledger: LedgerFigures,
  principal: Principal,
): void {
  const windows = new SharedReading(() => budgets.read(principal), LASTS_MS);
  for (const [name, help, read] of AMOUNTS)
    new Gauge({
      name,
      help: `${help} Cost in the rate card's currency, or tokens.`,
      labelNames: LABELS,
      registers: [registry],
      async collect() {
        const known = await windows.read().catch((): Windows => []);
        this.reset();
        for (const window of known) set(this, window, read(window));
      },
    });
  const uncertain = new SharedReading(() => ledger.uncertain(principal), LASTS_MS);
  new Gauge({
    name: 'openclawmu_uncertain_rows',
    help: 'Rows of this month and the last that nobody has confirmed or corrected.',
    labelNames: ['tenant', 'status'],
    registers: [registry],
    async collect() {
      const known = await uncertain.read().catch(() => []);
      this.reset();
      for (const { tenantId: tenant, status, rows } of known) this.set({ tenant, status }, Number(rows));
    },
  });
}

function set(gauge: Gauge<(typeof LABELS)[number]>, window: Window, amount: bigint | null): void {
  if (amount === null) return;
  const { tenantId, scope, target, metric, period } = window;
  const labels = { tenant: tenantId ?? '', scope, target, metric, period };
  gauge.set(labels, Number(metric === 'cost' ? formatNanos(amount) : amount));
}
