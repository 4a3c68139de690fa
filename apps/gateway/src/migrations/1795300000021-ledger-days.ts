import type { MigrationInterface, QueryRunner } from 'typeorm';

const TOLD_BY = 'tenant_id, cost_center, token_id, model, provider, rate_card, service_tier, is_correction';
const SUMS = [
  'requests',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_5m_tokens',
  'cache_write_1h_tokens',
  'reasoning_tokens',
  'audio_input_tokens',
  'audio_output_tokens',
  'web_searches',
  'list_cost_nanos',
  'cost_nanos',
];

/** The ledger summed up by the day of UTC too, so that a month is read from a day's lines and not from an hour's. */
export class LedgerDays1795300000021 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Waits for a step of the roll-up that is under way, and keeps the next one waiting. Both levels go equally far: a gateway
      -- of an older version, which knows of the hours alone, fails at its step and leaves it to others.
      ALTER TABLE ledger_roll_up ADD COLUMN days_booked_up_to timestamptz;
      UPDATE ledger_roll_up SET days_booked_up_to = booked_up_to;
      ALTER TABLE ledger_roll_up ALTER COLUMN days_booked_up_to SET NOT NULL, ADD CHECK (days_booked_up_to = booked_up_to);

      CREATE TABLE ledger_days (
        day           timestamptz NOT NULL CHECK (day = date_trunc('day', day, 'UTC')),
        tenant_id     text NOT NULL,
        cost_center   text,
        token_id      text NOT NULL,
        model         text NOT NULL,
        provider      text NOT NULL,
        rate_card     integer NOT NULL,
        service_tier  text,
        is_correction boolean NOT NULL,
        ${SUMS.map((column) => `${column} bigint NOT NULL`).join(', ')},
        UNIQUE NULLS NOT DISTINCT (day, tenant_id, token_id, model, provider, rate_card, is_correction, service_tier, cost_center)
      );
      -- The owner of a table is held by its policies too, and there is none for it.
      ALTER TABLE ledger_hours NO FORCE ROW LEVEL SECURITY;
      INSERT INTO ledger_days (day, ${TOLD_BY}, ${SUMS.join(', ')})
        SELECT date_trunc('day', hour, 'UTC'), ${TOLD_BY}, ${SUMS.map((column) => `sum(${column})`).join(', ')}
        FROM ledger_hours GROUP BY date_trunc('day', hour, 'UTC'), ${TOLD_BY};
      ALTER TABLE ledger_hours FORCE ROW LEVEL SECURITY;
      CREATE INDEX ledger_days_tenant ON ledger_days (tenant_id, day);
      ALTER TABLE ledger_days ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON ledger_days TO openclawmu_tenant USING (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON ledger_days TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT ON ledger_days TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_days TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE ledger_days; ALTER TABLE ledger_roll_up DROP COLUMN days_booked_up_to');
  }
}
