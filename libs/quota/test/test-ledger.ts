import { dashed, matchesPattern, type Tx } from '@app/platform';
import { amounts, type Amounts } from '../src/amounts';
import { type Charge, readLine } from '../src/journal-line';
import type { Draft, Entry, LedgerSink, SettledLines, SettledRow } from '../src/ledger-sink';
import { type Attributed, Attribution } from '../src/scopes/attribution';

/** What of the ledger's row is told by the tests. */
interface TestRow {
  readonly status: string;
  /** Of all classes together; counted as input. */
  readonly tokens: number;
}

class TestEntry implements TestRow {
  readonly status = 'actual';

  constructor(readonly tokens = 0) {}
}

const COUNTS =
  'input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens';

function rowsOf({ lines, attributions }: SettledLines): SettledRow[] {
  const known = new Map([...attributions].map((attribution) => [attribution.number, attribution]));
  return lines
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { id, atMs, attribution, amount, row } = readLine(line, known) as Charge & { row: unknown };
      return { id, atMs, tenantId: attribution.tenantId, attribution, costNanos: amount.cost, row };
    });
}

/** Writes what quota knows of a request into the real ledger table; what billing adds is left at nothing. */
export const testLedger: LedgerSink = {
  textOf: (entry: Entry) => JSON.stringify(entry),

  async book(tx: Tx, settled: SettledLines | readonly SettledRow[]): Promise<string[]> {
    const rows = 'lines' in settled ? rowsOf(settled) : settled;
    for (const month of new Set(rows.map(({ atMs }) => new Date(atMs).toISOString().slice(0, 7))))
      await tx.query('SELECT ensure_ledger_partition($1)', [`${month}-01T00:00:00Z`]);
    const inserted = await tx.query<{ id: string }>(
      `INSERT INTO ledger (id, at, tenant_id, token_id, model, subject, provider, rate_card, formula, status, outcome, ${COUNTS}, cost_nanos)
       SELECT r.id, r.at, r.tenant_id, r.token_id, r.model, r.subject, 'p', 1, 1, r.status, 'unknown', r.tokens, 0, 0, 0, 0, 0, r.cost
       FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[])
         AS r(id, at, tenant_id, token_id, model, subject, status, tokens, cost)
       ON CONFLICT DO NOTHING RETURNING id`,
      [
        rows.map(({ id }) => dashed(id)),
        rows.map(({ atMs }) => new Date(atMs)),
        rows.map(({ tenantId }) => tenantId),
        rows.map(({ attribution }) => attribution.facts.tokenId),
        rows.map(({ attribution }) => attribution.facts.model),
        rows.map(({ attribution }) => attribution.facts.subject ?? null),
        rows.map(({ row }) => (row as TestRow).status),
        rows.map(({ row }) => (row as TestRow).tokens),
        rows.map(({ costNanos }) => String(costNanos)),
      ],
    );
    return inserted.map(({ id }) => id.replaceAll('-', ''));
  },

  unconfirmed: (draft: unknown) => ({
    row: { ...(draft as TestRow), status: 'unconfirmed' },
    tokens: (draft as TestRow).tokens,
  }),

  async pauseBooking(tx: Tx): Promise<void> {
    await tx.query('SELECT ledger_booked_up_to()');
  },

  async beginning(tx: Tx): Promise<Date | null> {
    const [row] = await tx.query<{ at: Date | null }>(
      `SELECT min(to_timestamp(right(inhrelid::regclass::text, 7), 'YYYY_MM')) AS at FROM pg_inherits WHERE inhparent = 'ledger'::regclass`,
    );
    return row?.at ?? null;
  },

  currency: () => 'USD',

  async used(tx, owners, { startsAtMs, endsAtMs }) {
    const rows = await tx.query<
      Record<'tenant_id' | 'model' | 'lineage' | 'subject', string> & Record<'cost' | 'tokens', bigint>
    >(
      `SELECT l.tenant_id, model, coalesce(t.lineage, l.token_id) AS lineage, subject, cost_nanos AS cost, input_tokens AS tokens
       FROM ledger l LEFT JOIN tokens t ON t.id = l.token_id WHERE at >= $1 AND at < $2`,
      [new Date(startsAtMs), new Date(endsAtMs)],
    );
    return owners.map(({ tenantId, scope, target }) => {
      const mine = rows.filter(
        (row) =>
          scope === 'organisation' ||
          (row.tenant_id === tenantId &&
            (scope === 'tenant' ||
              (scope === 'model'
                ? matchesPattern(target, row.model)
                : row[scope === 'token' ? 'lineage' : 'subject'] === target))),
      );
      return amounts((metric) => mine.reduce((total, row) => total + row[metric], 0n));
    });
  },

  async usedByUsers(tx, tenantId, { startsAtMs, endsAtMs }, after) {
    await testLedger.pauseBooking(tx);
    const rows = await tx.query<Amounts & { user: string; last: Date }>(
      `SELECT subject AS "user", sum(cost_nanos)::bigint AS cost, sum(input_tokens)::bigint AS tokens, max(booked_at) AS last
       FROM ledger WHERE at >= $1 AND at < $2 AND tenant_id = $3 AND subject IS NOT NULL AND ($4::timestamptz IS NULL OR booked_at >= $4)
       GROUP BY subject`,
      [new Date(startsAtMs), new Date(endsAtMs), tenantId, after],
    );
    return {
      users: new Map(rows.map(({ user, cost, tokens }) => [user, { cost, tokens }])),
      countedTo: rows.map(({ last }) => last).reduce((a, b) => (b > a ? b : a), after ?? new Date(startsAtMs)),
    };
  },
};

/** What the requests of tests are settled with. */
export const ACTUAL: Entry = new TestEntry();

export const actual = (tokens: number): Entry => new TestEntry(tokens);

export const TOKEN = 'tok';

const known = new Map<string, Attribution>();

/** The same for the same caller, as the gateway has it. */
function attributionOf(tenantId: string, of: Attributed, lineage: string): Attribution {
  const key = JSON.stringify([tenantId, of, lineage]);
  const attribution = known.get(key) ?? new Attribution(tenantId, of, lineage);
  known.set(key, attribution);
  return attribution;
}

/** What they are reserved with. */
export const draftOf = (
  tenantId: string,
  tokens = 0,
  of: Attributed = { tokenId: TOKEN, model: 'm' },
  lineage = of.tokenId,
): Draft => {
  const entry = new TestEntry(tokens);
  return { attribution: attributionOf(tenantId, of, lineage), toText: () => JSON.stringify(entry) };
};
