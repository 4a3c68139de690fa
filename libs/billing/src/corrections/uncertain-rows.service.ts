import { Injectable } from '@nestjs/common';
import { Clock, CodedError, Config, Database, pageOf, type Principal, type Tx } from '@app/platform';
import { refuseArchivedRows } from '../ledger/archives.queries';
import { LONGEST_MS, periodOf } from '../reports/period';
import { readStart } from '../reports/reading';
import { ledgerId, recordView, type DetailRow } from '../reports/usage-record';
import { selectRequest } from '../reports/usage.queries';
import { requestCursorOf } from '../reports/usage.service';
import { billedView } from './correction-view';
import { selectStates, type CorrectableRow } from './corrections.queries';
import type { LedgerRowPage, LedgerRowView, UncertainCounts, UncertainRowsQuery } from './uncertain-row.dto';
import { countUncertain, selectUncertain } from './uncertain-rows.queries';

/** Rows of the ledger that a person may have to decide about: what cannot be known, or was wrong when it was booked. */
@Injectable()
export class UncertainRows {
  constructor(
    private readonly database: Database,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /**
   * Of the last ten years if no period is given, as far as they are in the ledger; newest first.
   * @throws CodedError `validation_failed`, `tenant_not_found`, `cursor_invalid`, `ledger_month_archived`
   */
  list(principal: Principal, query: UncertainRowsQuery): Promise<LedgerRowPage> {
    const { period, from, to } = query;
    const now = this.clock.now();
    const isChosen = (period ?? from ?? to) !== undefined;
    const chosen = isChosen ? query : { from: new Date(now.getTime() - LONGEST_MS).toISOString() };
    const selected = periodOf(chosen, this.config.current.timezone, now);
    const after = query.cursor === undefined ? null : requestCursorOf(query.cursor);
    const tenant = query.tenant ?? null;
    return this.database.platform(principal, async (tx) => {
      const { now: asOf } = await readStart(tx, tenant);
      const rows = await selectUncertain(tx, { ...selected, tenant, asOf }, query, after, query.limit + 1);
      if (isChosen) await refuseArchivedRows(tx, selected);
      const states = await selectStates(tx, rows);
      const page = pageOf(
        rows,
        query.limit,
        ({ at, id }) => [at.toISOString(), id],
        (row) => view(row, states),
      );
      return { items: [...page.items], nextCursor: page.nextCursor };
    });
  }

  /** Any row that is no correction. @throws CodedError `usage_not_found`, `row_is_correction`, `ledger_month_archived` */
  show(principal: Principal, id: string): Promise<LedgerRowView> {
    return this.database.platform(principal, async (tx) => {
      const hex = ledgerId(id);
      const row = hex && (await selectRequest(tx, hex));
      if (!row) throw new CodedError('usage_not_found');
      if (row.status === 'correction') throw new CodedError('row_is_correction');
      return view(row, await selectStates(tx, [row]));
    });
  }

  counts(principal: Principal): Promise<UncertainCounts> {
    return this.database.platform(principal, countsIn);
  }
}

async function countsIn(tx: Tx): Promise<UncertainCounts> {
  const counts: UncertainCounts = { unconfirmed: 0, quarantined: 0, estimated: 0 };
  for (const { status, rows } of await countUncertain(tx)) counts[status as keyof UncertainCounts] = Number(rows);
  return counts;
}

function view(row: DetailRow, states: ReadonlyMap<string, CorrectableRow>): LedgerRowView {
  const state = states.get(row.id) as CorrectableRow;
  return { ...recordView(row), corrections: state.corrections, billed: billedView(state) };
}
