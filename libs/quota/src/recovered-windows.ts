import { CodedError, type Database, type JobPrincipals } from '@app/platform';
import type { Books } from './books';
import type { Meters } from './meters';
import { ensureWindows } from './new-windows.queries';
import type { BudgetDirectory } from './scopes/budget-directory.service';
import { type Chargeable, isOpen } from './scopes/charged-windows';
import type { KnownWindows } from './scopes/known-windows';
import { keyOf, type Owner, tenantOwner } from './scopes/scope';
import { METERS, type MeterWindow } from './windows';
import { lockWindows } from './windows.queries';

/**
 * The windows in which rows of a journal count. They are those that its holds name, unless the database has become an older copy: then
 * these may never have been made, or their ids may be those of others by now, and the windows of that moment are found by their owners.
 * They are made where they are missing, because the next call would make them with nothing spent.
 */
export class RecoveredWindows {
  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly meters: Meters,
    private readonly budgets: BudgetDirectory,
  ) {}

  /** @returns the rows, with windows that are theirs @throws CodedError `database_unavailable` */
  async of<Row extends Chargeable>(rows: readonly Row[], books: Books, known: KnownWindows): Promise<readonly Row[]> {
    const named = [...new Set(rows.flatMap(({ windowIds }) => windowIds))];
    await this.database.platform(this.jobs.for('recovery'), (tx) => known.learn(tx, named));
    const areTheirs = ({ windowIds, call, atMs }: Row): boolean =>
      windowIds.every((id) => {
        const window = known.get(id);
        return window && (window.tenant_id ?? call.tenantId) === call.tenantId && isOpen(window, atMs);
      });
    if (rows.every(areTheirs)) return rows;
    await this.budgets.load();
    const found = new Map<string, readonly string[]>();
    const moved: Row[] = [];
    for (const row of rows)
      moved.push(areTheirs(row) ? row : { ...row, windowIds: await this.find(row, books, found) });
    return moved;
  }

  /** Those of its tenant as a whole; booking finds the others by itself, once they are there. */
  private async find(
    { call, atMs }: Chargeable,
    books: Books,
    found: Map<string, readonly string[]>,
  ): Promise<readonly string[]> {
    const { organisation } = this.budgets.current;
    const tenant = { owner: tenantOwner(call.tenantId), meters: METERS };
    const counted = [...this.budgets.current.narrowOf(call), ...(organisation ? [organisation] : []), tenant];
    let ids: readonly string[] = [];
    // The tenant's come last.
    for (const { owner, meters } of counted) {
      const windows = this.meters.at(new Date(atMs), meters);
      const key = JSON.stringify([keyOf(owner), ...windows.map(({ window }) => window.startsAtMs)]);
      ids = found.get(key) ?? (await this.make(owner, windows, books));
      found.set(key, ids);
    }
    return ids;
  }

  private async make(owner: Owner, windows: readonly MeterWindow[], books: Books): Promise<readonly string[]> {
    try {
      return await this.database.platform(this.jobs.for('recovery'), async (tx) => {
        await ensureWindows(tx, owner, windows, books);
        return (await lockWindows(tx, owner, windows)).map(({ id }) => String(id));
      });
    } catch (error) {
      // A tenant that is not there either: its rows are refused when they are booked, and kept.
      if (error instanceof CodedError && error.code !== 'database_unavailable') return [];
      throw error;
    }
  }
}
