import { randomUUID } from 'node:crypto';
import { Books } from './books';
import type { Place } from './gateway';

/** A process of a machine that never was: 7 nano-units of a tenant's day (in UTC) are leased to it, and it has neither lock nor journal. */
export async function loseProcess(
  { database }: Pick<Place, 'database'>,
  tenant: string,
  day = '2020-02-01',
): Promise<string> {
  const id = randomUUID();
  const books = await Books.open(database);
  try {
    await books.query(`INSERT INTO gateway_processes (id, host, pid) VALUES ($1, 'elsewhere', 1)`, [id]);
    await books.query(
      `WITH w AS (INSERT INTO budget_windows (tenant_id, metric, period, scope, starts_at, ends_at, leased)
         VALUES ($1, 'cost', 'day', 'tenant', $3::timestamptz, $3::timestamptz + interval '1 day', 7) RETURNING id)
       INSERT INTO leases (window_id, process_id, amount) SELECT w.id, $2, 7 FROM w`,
      [tenant, id, `${day}T00:00:00Z`],
    );
  } finally {
    await books.close();
  }
  return id;
}
