import type { Tx } from '@app/platform';
import type { ClaimedRun, DeliveredFiles, DeliveryRun, DeliveryStanding, RunState } from './delivery-run';

const COLUMNS = `delivery, slot, period, requested_by AS "requestedBy", state, as_of AS "asOf", attempts, attempt_at AS "attemptAt",
  error, files, revised, rows::float8 AS rows, finished_at AS "finishedAt"`;

export type NewRun = Pick<DeliveryRun, 'delivery' | 'slot' | 'period' | 'requestedBy'>;

/** A run that is there already stays as it is. */
export async function insertRun(tx: Tx, { delivery, slot, period, requestedBy }: NewRun): Promise<DeliveryRun> {
  await tx.query(
    'INSERT INTO report_deliveries (delivery, slot, period, requested_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    [delivery, slot.toISOString(), period, requestedBy],
  );
  const rows = await tx.query<DeliveryRun>(
    `SELECT ${COLUMNS} FROM report_deliveries WHERE delivery = $1 AND slot = $2`,
    [delivery, slot.toISOString()],
  );
  return rows[0] as DeliveryRun;
}

export const selectStandings = (tx: Tx, deliveries: readonly string[]): Promise<DeliveryStanding[]> =>
  tx.query<DeliveryStanding>(
    `SELECT delivery, max(slot) FILTER (WHERE requested_by IS NULL) AS "lastSlot",
       max(finished_at) FILTER (WHERE state = 'done') AS "lastSuccessAt",
       (count(*) FILTER (WHERE state IN ('retrying', 'failed') AND NOT EXISTS (
          SELECT FROM report_deliveries o
          WHERE o.delivery = r.delivery AND o.state = 'done' AND o.slot > r.slot AND o.period IS NOT DISTINCT FROM r.period)))::integer AS failing
     FROM report_deliveries r WHERE delivery = ANY ($1) GROUP BY delivery`,
    [deliveries],
  );

/** One claimant at a time, until the transaction ends, so that no two carry out the same run, or two runs of the same delivery. */
export const lockClaims = (tx: Tx): Promise<unknown> =>
  tx.query("SELECT pg_advisory_xact_lock(hashtext('report_deliveries'))");

/** Gives up the runs whose claimants are gone, each time, and returns them. Claims must be locked. */
export const giveUpAbandoned = (tx: Tx, mostAttempts: number): Promise<DeliveryRun[]> =>
  tx.query<DeliveryRun>(
    `UPDATE report_deliveries SET state = 'failed', claim = NULL, claimed_until = NULL, finished_at = clock_timestamp(),
       error = 'The gateway process that carried it out has ended, each time.'
     WHERE state = 'running' AND claimed_until < clock_timestamp() AND attempts >= $1
     RETURNING ${COLUMNS}`,
    [mostAttempts],
  );

/**
 * Takes the oldest run that waits, or whose claimant is gone. Claims must be locked. The moment up to which its rows were booked is fixed with the
 * first claim, so that another attempt writes the same bytes.
 */
export async function claimRun(
  tx: Tx,
  deliveries: readonly string[],
  claim: string,
  leaseMs: number,
): Promise<ClaimedRun | undefined> {
  const rows = await tx.query<ClaimedRun>(
    `UPDATE report_deliveries r SET state = 'running', claim = $2, claimed_until = clock_timestamp() + $3 * interval '1 millisecond',
       attempts = attempts + 1, as_of = COALESCE(as_of, ledger_booked_up_to())
     WHERE (r.delivery, r.slot) = (
       SELECT c.delivery, c.slot FROM report_deliveries c
       WHERE c.delivery = ANY ($1)
         AND (c.state IN ('waiting', 'retrying') AND c.attempt_at <= clock_timestamp()
           OR c.state = 'running' AND c.claimed_until < clock_timestamp())
         AND NOT EXISTS (SELECT FROM report_deliveries o
           WHERE o.delivery = c.delivery AND o.state = 'running' AND o.claimed_until >= clock_timestamp())
       ORDER BY c.slot LIMIT 1)
     RETURNING ${COLUMNS}, claim`,
    [deliveries, claim, leaseMs],
  );
  return rows[0];
}

type Held = Pick<ClaimedRun, 'delivery' | 'slot' | 'claim'>;

/** Whether the run was still this claim's. */
async function updateHeld(tx: Tx, run: Held, change: string, parameters: unknown[]): Promise<boolean> {
  const rows = await tx.query<{ slot: Date }>(
    `UPDATE report_deliveries SET ${change} WHERE delivery = $1 AND slot = $2 AND claim = $3 RETURNING slot`,
    [run.delivery, run.slot.toISOString(), run.claim, ...parameters],
  );
  return rows.length > 0;
}

export const extendClaim = (tx: Tx, run: Held, leaseMs: number): Promise<boolean> =>
  updateHeld(tx, run, "claimed_until = clock_timestamp() + $4 * interval '1 millisecond'", [leaseMs]);

const UNCLAIMED = 'claim = NULL, claimed_until = NULL';

export const finishRun = (tx: Tx, run: Held, { files, revised, rows }: DeliveredFiles): Promise<boolean> =>
  updateHeld(
    tx,
    run,
    `state = 'done', ${UNCLAIMED}, error = NULL, files = $4, revised = $5, rows = $6, finished_at = clock_timestamp()`,
    [files, revised, rows],
  );

/** @param pauseMs until the next attempt; `null` to give up */
export const failRun = (tx: Tx, run: Held, error: string, pauseMs: number | null): Promise<boolean> =>
  updateHeld(
    tx,
    run,
    `state = CASE WHEN $5::float8 IS NULL THEN 'failed' ELSE 'retrying' END, ${UNCLAIMED}, error = $4,
     attempt_at = clock_timestamp() + COALESCE($5::float8, 0) * interval '1 millisecond',
     finished_at = CASE WHEN $5::float8 IS NULL THEN clock_timestamp() END`,
    [error, pauseMs],
  );

/** Gives a run back unfinished; somebody else may have it at once. */
export const releaseRun = (tx: Tx, run: Held): Promise<boolean> =>
  updateHeld(tx, run, `state = 'waiting', ${UNCLAIMED}, attempts = attempts - 1`, []);

export interface RunFilter {
  readonly delivery?: string | undefined;
  readonly state?: RunState | undefined;
}

/** Newest first. */
export const selectRunPage = (
  tx: Tx,
  { delivery, state }: RunFilter,
  after: { readonly slot: string; readonly delivery: string } | null,
  limit: number,
): Promise<DeliveryRun[]> =>
  tx.query<DeliveryRun>(
    `SELECT ${COLUMNS} FROM report_deliveries
     WHERE ($1::text IS NULL OR delivery = $1) AND ($2::text IS NULL OR state = $2)
       AND ($3::timestamptz IS NULL OR (slot, delivery) < ($3, $4::text))
     ORDER BY slot DESC, delivery DESC LIMIT $5`,
    [delivery ?? null, state ?? null, after?.slot ?? null, after?.delivery ?? null, limit],
  );
