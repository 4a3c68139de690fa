import { CodedError, type Database, type JobPrincipals } from '@app/platform';
import type { Books } from './books';
import type { Meters } from './meters';
import { ensureWindows } from './new-windows.queries';
import type { BudgetDirectory } from './scopes/budget-directory.service';
import { type Chargeable, isOpen } from './scopes/charged-windows';
import type { KnownWindows } from './scopes/known-windows';

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
    const made = new Set<string>();
    for (const row of rows) await this.make(row, books, made);
    return rows.map((row) => (areTheirs(row) ? row : { ...row, windowIds: [] }));
  }

  /** Booking finds them by itself, once they are there. */
  private async make({ call, atMs }: Chargeable, books: Books, made: Set<string>): Promise<void> {
    for (const { key, owner, meters } of this.budgets.current.ofCall(call)) {
      const windows = this.meters.at(new Date(atMs), meters);
      const name = JSON.stringify([key, ...windows.map(({ window }) => window.startsAtMs)]);
      if (made.has(name)) continue;
      try {
        await this.database.platform(this.jobs.for('recovery'), (tx) => ensureWindows(tx, owner, windows, books));
      } catch (error) {
        // A tenant that is not there either: its rows are refused when they are booked, and kept.
        if (!(error instanceof CodedError) || error.code === 'database_unavailable') throw error;
      }
      made.add(name);
    }
  }
}
