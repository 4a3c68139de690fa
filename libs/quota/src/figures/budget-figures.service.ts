import { Injectable } from '@nestjs/common';
import { Database, type Principal, type Tx } from '@app/platform';
import { type Amounts, NOTHING } from '../amounts';
import { Meters } from '../meters';
import { tenantOwner } from '../scopes/scope';
import { Settlements } from '../settlements.service';
import type { Period } from '../windows';
import { windowFigures, type WindowFigures } from './window-figures.queries';

/** How the budgets of everybody stand, for metrics. */
@Injectable()
export class BudgetFigures {
  constructor(
    private readonly database: Database,
    private readonly meters: Meters,
    private readonly settlements: Settlements,
  ) {}

  /** @throws CodedError `database_unavailable` */
  read(principal: Principal): Promise<WindowFigures[]> {
    return this.database.platform(principal, async (tx) => {
      const now = this.meters.now();
      const limited = await windowFigures(tx, now);
      return [...limited, ...(await this.unlimited(tx, now, limited))];
    });
  }

  /** What tenants have used that nothing limits is counted in no window, only in the ledger. */
  private async unlimited(tx: Tx, now: Date, limited: readonly WindowFigures[]): Promise<WindowFigures[]> {
    const name = ({ tenantId, metric, period }: Pick<WindowFigures, 'tenantId' | 'metric' | 'period'>): string =>
      `${tenantId} ${metric} ${period}`;
    const told = new Set(limited.flatMap((figures) => (figures.scope === 'tenant' ? [name(figures)] : [])));
    const tenants = await tx.query<{ id: string }>('SELECT id FROM tenants ORDER BY id');
    const owners = tenants.map(({ id }) => tenantOwner(id));
    const used = new Map<Period, readonly Amounts[]>();
    const figures: WindowFigures[] = [];
    for (const { metric, period, window } of this.meters.at(now)) {
      const sums = used.get(period) ?? (await this.settlements.ledger.used(tx, owners, window));
      used.set(period, sums);
      for (const [index, owner] of owners.entries()) {
        const { [metric]: spent } = sums[index] ?? NOTHING;
        const of = { ...owner, metric, period };
        if (spent !== 0n && !told.has(name(of))) figures.push({ ...of, ...NOTHING_LIMITED, spent });
      }
    }
    return figures;
  }
}

const NOTHING_LIMITED = { limit: null, topUp: 0n, held: 0n, writtenOff: 0n, enforcementError: 0n };
