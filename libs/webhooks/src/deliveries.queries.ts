import { newId, type Tx } from '@app/platform';
import type { Outcome } from './outcome';

export type DeliveryState = 'pending' | 'delivered' | 'dead';

/** A notice on its way to one receiver. */
export interface DeliveryRow {
  readonly id: string;
  readonly endpoint: string;
  readonly event: string;
  readonly tenant_id: string | null;
  readonly body: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly due_at: Date;
  readonly created_at: Date;
  readonly ended_at: Date | null;
  readonly last_status: number | null;
  readonly last_error: string | null;
}

const COLUMNS =
  'id, endpoint, event, tenant_id, body, state, attempts, due_at, created_at, ended_at, last_status, last_error';

export interface NewDelivery {
  readonly event: string;
  readonly tenant: string | null;
  readonly body: string;
}

/** One row for each endpoint. Returns their ids, in the same order. */
export async function insertDeliveries(
  tx: Tx,
  endpoints: readonly string[],
  { event, tenant, body }: NewDelivery,
): Promise<string[]> {
  const ids = endpoints.map(() => newId('msg'));
  await tx.query(
    `INSERT INTO webhook_deliveries (id, endpoint, event, tenant_id, body)
     SELECT d.id, d.endpoint, $3, $4, $5 FROM unnest($1::text[], $2::text[]) AS d(id, endpoint)`,
    [ids, endpoints, event, tenant, body],
  );
  return ids;
}

/** Takes what is due for one endpoint; it is due again after the lease, unless an outcome is recorded before. */
export const claimDue = (tx: Tx, endpoint: string, most: number, leaseMs: number): Promise<DeliveryRow[]> =>
  tx.query(
    `WITH due AS MATERIALIZED (
       SELECT id FROM webhook_deliveries WHERE state = 'pending' AND endpoint = $1 AND due_at <= now()
       ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
     )
     UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = now() + $3 * interval '1 millisecond'
     WHERE id IN (SELECT id FROM due) RETURNING ${COLUMNS}`,
    [endpoint, most, leaseMs],
  );

/** A success counts whenever it comes; a failure only if nobody has begun another attempt since. */
export async function recordOutcome(tx: Tx, { id, attempts }: DeliveryRow, outcome: Outcome): Promise<void> {
  if (outcome.state === 'delivered')
    await tx.query(
      `UPDATE webhook_deliveries SET state = 'delivered', ended_at = now(), last_status = $2, last_error = NULL
       WHERE id = $1 AND state <> 'delivered'`,
      [id, outcome.status],
    );
  else
    await tx.query(
      `UPDATE webhook_deliveries SET state = $3, last_status = $4, last_error = $5,
         due_at = now() + $6 * interval '1 millisecond', ended_at = CASE WHEN $3 = 'dead' THEN now() END
       WHERE id = $1 AND state = 'pending' AND attempts = $2`,
      [id, attempts, outcome.state, outcome.status, outcome.error, outcome.delayMs],
    );
}

const NOT_CONFIGURED = 'the endpoint is no longer configured';

export const buryEndpoints = (tx: Tx, endpoints: readonly string[]): Promise<unknown[]> =>
  tx.query(
    `UPDATE webhook_deliveries SET state = 'dead', ended_at = now(), last_error = $2
     WHERE state = 'pending' AND endpoint = ANY($1::text[])`,
    [endpoints, NOT_CONFIGURED],
  );

/** Rows that no process with a newer configuration has claimed for so long either. */
export const buryUnclaimed = (tx: Tx, known: readonly string[], overdueMs: number): Promise<unknown[]> =>
  tx.query(
    `UPDATE webhook_deliveries SET state = 'dead', ended_at = now(), last_error = $3
     WHERE state = 'pending' AND endpoint <> ALL($1::text[]) AND due_at < now() - $2 * interval '1 millisecond'`,
    [known, overdueMs, NOT_CONFIGURED],
  );

export const deleteDelivered = (tx: Tx, days: number): Promise<unknown[]> =>
  tx.query(`DELETE FROM webhook_deliveries WHERE state = 'delivered' AND ended_at < now() - $1 * interval '1 day'`, [
    days,
  ]);

export async function countOpen(tx: Tx): Promise<{ pending: number; dead: number }> {
  const [counts] = await tx.query<{ pending: bigint; dead: bigint }>(
    `SELECT (SELECT count(*) FROM webhook_deliveries WHERE state = 'pending') AS pending,
       (SELECT count(*) FROM webhook_deliveries WHERE state = 'dead') AS dead`,
  );
  return { pending: Number(counts?.pending), dead: Number(counts?.dead) };
}

export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined;
  readonly endpoint?: string | undefined;
  readonly tenant?: string | undefined;
}

/** Newest first: ids rise with time. */
export const listDeliveries = (
  tx: Tx,
  { state, endpoint, tenant }: DeliveryFilter,
  before: string | undefined,
  limit: number,
): Promise<DeliveryRow[]> =>
  tx.query(
    `SELECT ${COLUMNS} FROM webhook_deliveries
     WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR endpoint = $2)
       AND ($3::text IS NULL OR tenant_id = $3) AND ($4::text IS NULL OR id < $4)
     ORDER BY id DESC LIMIT $5`,
    [state ?? null, endpoint ?? null, tenant ?? null, before ?? null, limit],
  );

export async function findDelivery(tx: Tx, id: string, lock: '' | 'FOR UPDATE' = ''): Promise<DeliveryRow | undefined> {
  const [row] = await tx.query<DeliveryRow>(`SELECT ${COLUMNS} FROM webhook_deliveries WHERE id = $1 ${lock}`, [id]);
  return row;
}

/** Due at once, with all its attempts before it again. */
export async function reviveDelivery(tx: Tx, id: string): Promise<DeliveryRow> {
  const [row] = await tx.query<DeliveryRow>(
    `UPDATE webhook_deliveries SET state = 'pending', attempts = 0, due_at = now(), ended_at = NULL
     WHERE id = $1 RETURNING ${COLUMNS}`,
    [id],
  );
  return row as DeliveryRow;
}
