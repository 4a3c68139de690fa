import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A token and those it was rotated into count as one where tokens have budgets: under the id of the first, the lineage. A token
 * that has replaced none has no lineage but its own id.
 */
export class TokenLineages1795300000029 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The owner of a table is held by its policies too, and there is none for it.
      ALTER TABLE tokens ADD COLUMN lineage text REFERENCES tokens (id), NO FORCE ROW LEVEL SECURITY;
      ALTER TABLE budgets NO FORCE ROW LEVEL SECURITY;
      ALTER TABLE budget_windows NO FORCE ROW LEVEL SECURITY;

      WITH RECURSIVE line AS (
        SELECT id, id AS first FROM tokens WHERE replaces IS NULL
        UNION ALL SELECT t.id, line.first FROM tokens t JOIN line ON t.replaces = line.id)
      UPDATE tokens t SET lineage = line.first FROM line WHERE line.id = t.id AND t.replaces IS NOT NULL;

      -- Of several budgets of a lineage, set anew after rotations, the one that was set last holds.
      DELETE FROM budgets USING (
        SELECT b.id, row_number() OVER (PARTITION BY coalesce(t.lineage, t.id), b.metric, b.period ORDER BY b.updated_at DESC, b.id DESC) AS place
        FROM budgets b JOIN tokens t ON t.id = b.target WHERE b.scope = 'token') latest
      WHERE latest.id = budgets.id AND latest.place > 1;
      UPDATE budgets b SET target = t.lineage FROM tokens t WHERE b.scope = 'token' AND t.id = b.target AND t.lineage IS NOT NULL;

      -- Windows of a lineage that are under way become one, with all that is counted and leased in them.
      DO $$
      DECLARE
        line record;
      BEGIN
        FOR line IN
          SELECT t.first, array_agg(w.id ORDER BY t.id) AS ids, sum(w.spent) AS spent, sum(w.leased) AS leased,
            sum(w.written_off) AS written_off, sum(w.uncovered) AS uncovered, sum(w.top_up) AS top_up,
            (SELECT b.limit_amount FROM budgets b
             WHERE (b.tenant_id, b.metric, b.period, b.scope) = (w.tenant_id, w.metric, w.period, 'token')
               AND b.target IN (t.first, '*') ORDER BY b.target = '*' LIMIT 1) AS per_period
          FROM budget_windows w JOIN (SELECT id, lineage, coalesce(lineage, id) AS first FROM tokens) t ON t.id = w.target
          WHERE w.scope = 'token' AND w.ends_at > now()
          GROUP BY w.tenant_id, w.metric, w.period, w.starts_at, t.first HAVING bool_or(t.lineage IS NOT NULL)
        LOOP
          INSERT INTO leases AS l (process_id, window_id, amount, written_off)
            SELECT process_id, line.ids[1], sum(amount), sum(written_off) FROM leases WHERE window_id = ANY (line.ids) GROUP BY process_id
            ON CONFLICT (process_id, window_id) DO UPDATE SET amount = excluded.amount, written_off = excluded.written_off;
          INSERT INTO budget_notices (window_id, percent, at)
            SELECT line.ids[1], percent, min(at) FROM budget_notices WHERE window_id = ANY (line.ids) GROUP BY percent
            ON CONFLICT (window_id, percent) DO NOTHING;
          DELETE FROM leases WHERE window_id = ANY (line.ids[2:]);
          DELETE FROM budget_notices WHERE window_id = ANY (line.ids[2:]);
          DELETE FROM budget_windows WHERE id = ANY (line.ids[2:]);
          UPDATE budget_windows SET target = line.first, spent = line.spent, leased = line.leased, written_off = line.written_off,
            uncovered = line.uncovered, top_up = line.top_up, limit_amount = line.per_period + line.top_up,
            ceiling = CASE WHEN line.per_period IS NOT NULL THEN greatest(line.per_period + line.top_up, line.spent + line.leased) END
          WHERE id = line.ids[1];
        END LOOP;
      END $$;

      ALTER TABLE budget_windows FORCE ROW LEVEL SECURITY;
      ALTER TABLE budgets FORCE ROW LEVEL SECURITY;
      ALTER TABLE tokens FORCE ROW LEVEL SECURITY;
      CREATE INDEX tokens_lineage ON tokens (lineage) WHERE lineage IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE tokens DROP COLUMN lineage');
  }
}
