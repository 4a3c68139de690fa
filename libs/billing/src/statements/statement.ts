import type { Period } from '../reports/period';
import type { Sums } from '../reports/reading';

/** Which rows a statement has; they follow from this alone, today and in ten years. */
export interface StatementScope extends Period {
  /** `null` for the whole gateway. */
  readonly tenant: string | null;
  readonly timeZone: string;
  /** Rows booked later are the next statement's. */
  readonly asOf: Date;
  /** Where the statement before ended: earlier calls booked since then are late lines. `null` for the first statement. */
  readonly lateAfter: Date | null;
}

/** Something in force when a line was billed, told by its hash. */
export interface CardReference {
  readonly version: number;
  readonly sha256: string;
}

/** What a statement's files amount to. */
export interface StatementFacts {
  /** Lines without the header. */
  readonly rows: number;
  readonly lateRows: number;
  readonly bytes: number;
  /** Of the bill, header included, hex. */
  readonly sha256: string;
  /** Of the file of digests, header included, hex. */
  readonly digestsSha256: string;
  /** Versions of the cards the lines were priced by, ascending. */
  readonly rateCards: readonly number[];
  readonly sums: Sums;
}

/** A closed statement as it is stored: the scope and what it amounted to, no file. */
export interface StatementRow extends Omit<StatementFacts, 'rateCards'>, StatementScope {
  readonly id: string;
  readonly month: string;
  readonly schema: string;
  readonly currency: string | null;
  readonly rateCards: readonly CardReference[];
  readonly closedAt: Date;
  readonly closedBy: string;
}

/** `2026-10`, or `2026-10-finance` for one tenant. */
export const statementId = (month: string, tenant: string | null): string =>
  tenant === null ? month : `${month}-${tenant}`;

/** The month after one, `2026-12` → `2027-01`. */
export function monthAfter(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number)).toISOString().slice(0, 7);
}
