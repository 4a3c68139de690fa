import { Injectable } from '@nestjs/common';
import { Audit, type AuditAction } from '@app/audit';
import { Clock, CodedError, Config, Database, formatNanos, type Principal, type Tx } from '@app/platform';
import { archivedMonth } from '../ledger/archives.queries';
import { addAgain, lockRollUp, selectDifferences, type RollUpDifference } from '../roll-up/roll-up.queries';
import { stateOf, type RetentionFacts } from './ledger-month';
import type { LedgerMonthList, LedgerMonthView, RollUpCheck } from './ledger-month.dto';
import {
  attachMonth,
  detachMonth,
  lockMonths,
  selectChains,
  selectMonths,
  selectUnexported,
  type LedgerMonthRow,
} from './ledger-months.queries';

const EXAMPLES = 20;
const NEVER = new Date(0);

/** The ledger by months, and what may leave it. */
@Injectable()
export class LedgerMonths {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  list(principal: Principal): Promise<LedgerMonthList> {
    return this.database.platform(principal, async (tx) => {
      const facts = await this.facts(tx);
      return { items: (await selectMonths(tx)).map((month) => view(month, facts)) };
    });
  }

  /** Compares the roll-up with the rows. @throws CodedError `ledger_month_not_found`, `ledger_month_archived` */
  check(principal: Principal, name: string): Promise<RollUpCheck> {
    return this.database.platform(principal, async (tx) => {
      const month = await whole(tx, name);
      const examples = await selectDifferences(tx, month, EXAMPLES);
      const differences = Number(examples[0]?.differences ?? 0n);
      return { month: name, ok: differences === 0, differences, examples: examples.map(differenceView) };
    });
  }

  /** Sums a month up again. @throws CodedError `ledger_month_not_found`, `ledger_month_archived` */
  rebuild(principal: Principal, name: string): Promise<LedgerMonthView> {
    return this.change(principal, name, 'ledger.month_rebuilt', async (tx) => {
      await lockRollUp(tx);
      await addAgain(tx, await whole(tx, name));
    });
  }

  /**
   * Takes a month out of the ledger; its rows stay in a table of their own.
   * @throws CodedError `ledger_month_not_found`, `ledger_month_state`
   */
  detach(principal: Principal, name: string): Promise<LedgerMonthView> {
    return this.change(principal, name, 'ledger.month_detached', async (tx, { month, ...is }) => {
      if (is.state !== 'detachable')
        throw new CodedError(
          'ledger_month_state',
          `${name} is ${is.state}${is.because === null ? '' : `: ${is.because}`}.`,
        );
      if ((await detachMonth(tx, month.from, month.lastBookedAt ?? NEVER)) === null)
        throw new CodedError('ledger_month_state', `${name} has rows that came late. Try again in a minute.`);
    });
  }

  /** Brings a month back. @throws CodedError `ledger_month_not_found`, `ledger_month_state` */
  attach(principal: Principal, name: string): Promise<LedgerMonthView> {
    return this.change(principal, name, 'ledger.month_attached', async (tx, { month }) => {
      if (month.archivedTables.length === 0)
        throw new CodedError('ledger_month_state', `${name} is in the ledger with all its rows.`);
      await attachMonth(tx, month);
    });
  }

  /** One change at a time, decided by how the month stands then, and recorded with how it stood and stands. */
  private change(
    principal: Principal,
    name: string,
    action: AuditAction,
    work: (tx: Tx, is: LedgerMonthIs) => Promise<void>,
  ): Promise<LedgerMonthView> {
    return this.database.platform(principal, async (tx) => {
      await lockMonths(tx);
      const month = await find(tx, name);
      const facts = await this.facts(tx);
      await work(tx, { month, ...stateOf(month, facts) });
      const changed = view(await find(tx, name), facts);
      const target = { kind: 'ledger month', id: name };
      await this.audit.record(tx, { action, tenant: null, target, before: view(month, facts), after: changed });
      return changed;
    });
  }

  private async facts(tx: Tx): Promise<RetentionFacts> {
    return {
      now: this.clock.now(),
      retainMonths: this.config.current.ledger.retainMonths,
      chains: await selectChains(tx),
      unexported: await selectUnexported(tx),
    };
  }
}

type LedgerMonthIs = { readonly month: LedgerMonthRow } & ReturnType<typeof stateOf>;

async function find(tx: Tx, name: string): Promise<LedgerMonthRow> {
  const found = (await selectMonths(tx)).find(({ month }) => month === name);
  if (!found) throw new CodedError('ledger_month_not_found');
  return found;
}

/** A month with all its rows in the ledger. */
async function whole(tx: Tx, name: string): Promise<LedgerMonthRow> {
  const month = await find(tx, name);
  if (month.archivedTables.length > 0) throw archivedMonth(name);
  return month;
}

function view(row: LedgerMonthRow, facts: RetentionFacts): LedgerMonthView {
  const { month, rows, bytes, archivedTables } = row;
  return { month, rows, bytes, ...stateOf(row, facts), archivedTables: [...archivedTables] };
}

const differenceView = (line: RollUpDifference): RollUpCheck['examples'][number] => ({
  from: line.from.toISOString(),
  lasts: line.lasts,
  tenant: line.tenant,
  costCenter: line.costCenter,
  tokenId: line.tokenId,
  model: line.model,
  requests: line.requests === null ? null : Number(line.requests),
  ledgerRequests: line.ledgerRequests === null ? null : Number(line.ledgerRequests),
  cost: line.costNanos === null ? null : formatNanos(line.costNanos),
  ledgerCost: line.ledgerCostNanos === null ? null : formatNanos(line.ledgerCostNanos),
});
