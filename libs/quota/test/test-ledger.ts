import type { Tx } from '@app/platform';
import { dashed } from '@app/platform';
import type { LedgerSink, OpenHold, SettledRow } from '../src/ledger-sink';

const COUNTS =
  'input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens';

/** Writes what quota knows of a request into the real ledger table; what billing adds is left at nothing. */
export const testLedger: LedgerSink = {
  async append(tx: Tx, rows: readonly SettledRow[]): Promise<string[]> {
    for (const month of new Set(rows.map(({ at }) => at.toISOString().slice(0, 7))))
      await tx.query('SELECT ensure_ledger_partition($1)', [`${month}-01T00:00:00Z`]);
    const inserted = await tx.query<{ id: string }>(
      `INSERT INTO ledger (id, at, tenant_id, token_id, model, provider, rate_card, formula, status, outcome, ${COUNTS}, cost_nanos)
       SELECT r.id, r.at, r.tenant_id, 'tok', 'm', 'p', 1, 1, r.status, 'unknown', 0, 0, 0, 0, 0, 0, r.cost
       FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[]) AS r(id, at, tenant_id, status, cost)
       ON CONFLICT DO NOTHING RETURNING id`,
      [
        rows.map(({ id }) => dashed(id)),
        rows.map(({ at }) => at),
        rows.map(({ tenantId }) => tenantId),
        rows.map(({ row }) => (row as { status: string }).status),
        rows.map(({ costNanos }) => String(costNanos)),
      ],
    );
    return inserted.map(({ id }) => id.replaceAll('-', ''));
  },
  unconfirmed: (draft: unknown, { id }: OpenHold) => ({
    row: { ...(draft as object), id, status: 'unconfirmed' },
    tokens: (draft as { tokens?: number }).tokens ?? 0,
  }),
};

/** What the requests of tests are settled with. */
export const ACTUAL = { status: 'actual' };
