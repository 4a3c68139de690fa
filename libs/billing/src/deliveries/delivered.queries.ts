import type { Tx } from '@app/platform';
import type { Period } from '../reports/period';

/** A file as it was delivered. */
export interface Revision {
  /** From 1; it rises when rows of the period were booked after it was delivered. */
  readonly revision: number;
  readonly asOf: Date;
  readonly rows: number;
  readonly requests: number;
  readonly sha256: string;
}

/** Which file of which delivery. */
export interface DeliveredFile {
  readonly delivery: string;
  readonly schema: string;
  readonly period: string;
  readonly tenant: string | null;
}

/** Oldest first. */
export const selectRevisions = (tx: Tx, { delivery, schema, period, tenant }: DeliveredFile): Promise<Revision[]> =>
  tx.query<Revision>(
    `SELECT revision, as_of AS "asOf", rows::float8 AS rows, requests::float8 AS requests, sha256 FROM delivered_reports
     WHERE delivery = $1 AND schema = $2 AND period = $3 AND tenant_id IS NOT DISTINCT FROM $4 ORDER BY revision`,
    [delivery, schema, period, tenant],
  );

/** The same revision twice is one. */
export const insertRevision = (tx: Tx, file: DeliveredFile, revision: Revision): Promise<unknown> =>
  tx.query(
    `INSERT INTO delivered_reports (delivery, schema, period, tenant_id, revision, as_of, rows, requests, sha256)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    [
      file.delivery,
      file.schema,
      file.period,
      file.tenant,
      revision.revision,
      revision.asOf.toISOString(),
      revision.rows,
      revision.requests,
      revision.sha256,
    ],
  );

interface Booked {
  readonly after: Date;
  readonly upTo: Date;
}

/** What a period has gained between two instants. */
export interface Gained {
  /** Corrections among them. */
  readonly rows: number;
  readonly requests: number;
}

export async function selectGained(
  tx: Tx,
  { from, to }: Period,
  tenant: string | null,
  booked: Booked,
): Promise<Gained> {
  const [row] = await tx.query<Gained>(
    `SELECT count(*)::float8 AS rows, (count(*) FILTER (WHERE l.status <> 'correction'))::float8 AS requests
     FROM ledger l WHERE l.at >= $1 AND l.at < $2 AND ($3::text IS NULL OR l.tenant_id = $3)
       AND l.booked_at > $4 AND l.booked_at <= $5`,
    [from.toISOString(), to.toISOString(), tenant, booked.after.toISOString(), booked.upTo.toISOString()],
  );
  return row as Gained;
}

/** Up to which instant the delivery's last finished run before a slot has seen what was booked. */
export async function selectSeenUpTo(tx: Tx, delivery: string, slot: Date): Promise<Date | null> {
  const [row] = await tx.query<{ at: Date | null }>(
    `SELECT max(as_of) AS at FROM report_deliveries WHERE delivery = $1 AND slot < $2 AND state = 'done' AND requested_by IS NULL`,
    [delivery, slot.toISOString()],
  );
  return row?.at ?? null;
}

export interface LateFile {
  readonly period: string;
  readonly tenant: string;
}

/**
 * Earlier periods, and their tenants, of which rows were booked between two instants; only those that the delivery had runs
 * for. @param format of the period's name, in the words of `to_char`
 */
export const selectLatePeriods = (
  tx: Tx,
  delivery: string,
  before: Date,
  tenant: string | null,
  booked: Booked,
  timeZone: string,
  format: 'YYYY-MM-DD' | 'YYYY-MM',
): Promise<LateFile[]> =>
  tx.query<LateFile>(
    `SELECT late.period, late.tenant FROM (
       SELECT DISTINCT to_char(l.at AT TIME ZONE $6, $7) AS period, l.tenant_id AS tenant FROM ledger l
       WHERE l.at < $2 AND l.booked_at > $4 AND l.booked_at <= $5 AND ($3::text IS NULL OR l.tenant_id = $3)) late
     WHERE EXISTS (SELECT FROM report_deliveries r WHERE r.delivery = $1 AND r.period = late.period)
     ORDER BY late.period, late.tenant COLLATE "C"`,
    [delivery, before.toISOString(), tenant, booked.after.toISOString(), booked.upTo.toISOString(), timeZone, format],
  );

/** Which statements a delivery is about: of one tenant, of each, or of the whole gateway. */
export interface StatementChoice {
  readonly tenant: string | null;
  readonly each: boolean;
}

/** Of the chain that a statement `s` is of. */
const DELIVERED = "d.delivery = $3 AND d.schema LIKE 'statement/%' AND d.tenant_id IS NOT DISTINCT FROM s.tenant_id";

const CHOSEN = 'CASE WHEN $2 THEN s.tenant_id IS NOT NULL ELSE s.tenant_id IS NOT DISTINCT FROM $1 END';

const OF_THE_CHAIN = 'FROM statements o WHERE o.tenant_id IS NOT DISTINCT FROM s.tenant_id';

/**
 * Those that were not delivered, from the first on that was; where none was, from the one on that was the newest at the delivery's
 * first run, or all of them; oldest first. A later one may have been delivered before, because somebody asked for it or because an earlier
 * one could not be made.
 */
export async function selectNewStatements(
  tx: Tx,
  delivery: string,
  { tenant, each }: StatementChoice,
  asOf: Date,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT s.id FROM statements s
     WHERE ${CHOSEN} AND s.closed_at <= $4
       AND NOT EXISTS (SELECT FROM delivered_reports d WHERE ${DELIVERED} AND d.period = s.month)
       AND s.month >= COALESCE(
         (SELECT d.period FROM delivered_reports d WHERE ${DELIVERED} ORDER BY d.delivered_at LIMIT 1),
         (SELECT max(o.month) ${OF_THE_CHAIN} AND o.closed_at <=
           (SELECT min(r.as_of) FROM report_deliveries r WHERE r.delivery = $3 AND r.requested_by IS NULL)),
         (SELECT min(o.month) ${OF_THE_CHAIN}))
     ORDER BY s.month, s.id COLLATE "C"`,
    [tenant, each, delivery, asOf.toISOString()],
  );
  return rows.map(({ id }) => id);
}

/** The statements of a month. */
export async function selectStatementsOf(tx: Tx, month: string, { tenant, each }: StatementChoice): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT s.id FROM statements s WHERE ${CHOSEN} AND s.month = $3 ORDER BY s.id COLLATE "C"`,
    [tenant, each, month],
  );
  return rows.map(({ id }) => id);
}
