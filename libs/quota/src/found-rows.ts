import type { Tx } from '@app/platform';
import type { LedgerSink, SettledRow } from './ledger-sink';
import type { Chargeable } from './scopes/charged-windows';
import type { Batch } from './settlements.queries';

/** A row, what its request used, and in which windows that counts. */
export type FoundRow = SettledRow & Chargeable;

/** Rows that a process left in its journal. */
export class FoundRows implements Batch<FoundRows> {
  constructor(readonly sums: readonly FoundRow[]) {}

  get rows(): number {
    return this.sums.length;
  }

  get firstId(): string {
    return (this.sums[0] as FoundRow).id;
  }

  get singly(): readonly FoundRow[] {
    return this.sums;
  }

  append(tx: Tx, ledger: LedgerSink): Promise<readonly string[] | 'all'> {
    return ledger.book(tx, this.sums);
  }

  only(ids: ReadonlySet<string>): FoundRows {
    return new FoundRows(this.sums.filter(({ id }) => ids.has(id)));
  }

  halves(): readonly [FoundRows, FoundRows] {
    const half = Math.ceil(this.rows / 2);
    return [new FoundRows(this.sums.slice(0, half)), new FoundRows(this.sums.slice(half))];
  }
}
