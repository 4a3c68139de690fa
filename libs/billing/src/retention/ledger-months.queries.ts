import { CodedError, type Tx } from '@app/platform';
import { ATTACHED_MONTHS } from '../ledger/ledger.queries';
import { EXPORTED_AT } from '../statements/statement-exports.queries';
import type { ChainEnd, LedgerMonthFacts, UnexportedStatement } from './ledger-month';

export interface LedgerMonthRow extends LedgerMonthFacts {
  /** `2026-10` */
  readonly month: string;
  /** Rows that are summed up, archived ones too. */
  readonly rows: number;
  /** On disk with indexes; those that are archived as they were. */
  readonly bytes: number;
  /** Tables outside of the ledger that hold rows of it. */
  readonly archivedTables: readonly string[];
}

/** Newest first. */
export const selectMonths = (tx: Tx): Promise<LedgerMonthRow[]> =>
  tx.query<LedgerMonthRow>(
    `WITH attached AS (
       SELECT month, pg_total_relation_size("table") AS bytes FROM (${ATTACHED_MONTHS}) a
     ), archived AS (
       SELECT month, sum(bytes) AS bytes, array_agg(table_name ORDER BY detached_at) AS tables FROM ledger_archives GROUP BY month
     )
     SELECT to_char(month, 'YYYY-MM') AS month, month AS "from", month + interval '1 month' AS "to", a.month IS NOT NULL AS attached,
       m.last_booked_at AS "lastBookedAt", coalesce(m.rows, 0)::float8 AS rows,
       (coalesce(a.bytes, 0) + coalesce(d.bytes, 0))::float8 AS bytes, coalesce(d.tables, '{}') AS "archivedTables"
     FROM attached a FULL JOIN archived d USING (month) LEFT JOIN ledger_months m USING (month)
     ORDER BY month DESC`,
  );

/** The newest statement of each chain that has begun, the gateway's first. */
export const selectChains = (tx: Tx): Promise<ChainEnd[]> =>
  tx.query<ChainEnd>(
    `SELECT DISTINCT ON (tenant_id) tenant_id AS tenant, month, to_at AS "to", as_of AS "asOf" FROM statements
     ORDER BY tenant_id NULLS FIRST, month DESC`,
  );

export const selectUnexported = (tx: Tx): Promise<UnexportedStatement[]> =>
  tx.query<UnexportedStatement>(
    `SELECT id, from_at AS "from", to_at AS "to", late_after AS "lateAfter" FROM statements s
     WHERE tenant_id IS NULL AND ${EXPORTED_AT} IS NULL ORDER BY month`,
  );

/** Keeps other changes of months waiting until the transaction ends. */
export const lockMonths = (tx: Tx): Promise<unknown> =>
  tx.query("SELECT pg_advisory_xact_lock(hashtext('ledger_months'))");

/**
 * Takes a month out of the ledger and answers its table's new name; null if a row was booked in it after `bookedUpTo`.
 * @throws CodedError `ledger_month_state` when the ledger is in use for too long
 */
export async function detachMonth(tx: Tx, from: Date, bookedUpTo: Date): Promise<string | null> {
  const sql = 'SELECT detach_ledger_partition($1, $2) AS table';
  const [row] = await unlessRefused(
    tx.query<{ table: string | null }>(sql, [from.toISOString(), bookedUpTo.toISOString()]),
  );
  return row?.table ?? null;
}

/** Brings a month back with all that was taken out of it. @throws CodedError `ledger_month_state` */
export const attachMonth = (tx: Tx, { from, archivedTables }: LedgerMonthRow): Promise<unknown> =>
  unlessRefused(
    tx.query('SELECT attach_ledger_partition($1)', [from.toISOString()]),
    `Restore ${archivedTables.join(', ')} in the schema openclawmu_archive first.`,
  );

/** SQLSTATEs: lock_not_available, undefined_table, and objects that are not as they were (an archive of an older version). */
const IN_USE = '55P03';
const NOT_THERE = new Set(['42P01', '42804', '42703']);

async function unlessRefused<Row>(rows: Promise<Row[]>, notThere = ''): Promise<Row[]> {
  try {
    return await rows;
  } catch (error) {
    const code = (error as { driverError?: { code?: string } }).driverError?.code ?? '';
    if (code === IN_USE) throw new CodedError('ledger_month_state', 'The ledger is in use just now. Try again.');
    if (NOT_THERE.has(code)) throw new CodedError('ledger_month_state', notThere, { cause: error });
    throw error;
  }
}
