import type { MigrationInterface, QueryRunner } from 'typeorm';

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
  'cached_requests',
  'saved_nanos',
];

/** The ledger summed up by quarters of the hours in which days of the gateway's time zone begin, for zones whose days begin on none. */
export class LedgerQuarters1795300000028 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- All levels go equally far: a gateway of an older version, which does not know of this one, fails at its step and leaves
      -- it to others.
      ALTER TABLE ledger_roll_up ADD COLUMN quarters_booked_up_to timestamptz;
      UPDATE ledger_roll_up SET quarters_booked_up_to = booked_up_to;
      ALTER TABLE ledger_roll_up ALTER COLUMN quarters_booked_up_to SET NOT NULL, ADD CHECK (quarters_booked_up_to = booked_up_to);

      -- The hours that are summed up by quarters too, and those quarters. Gateways add hours of the past by and by, so nothing is
      -- read here.
      CREATE TABLE ledger_cut_hours (hour timestamptz PRIMARY KEY CHECK (hour = date_bin('1 hour', hour, '2000-01-01Z')));
      GRANT SELECT ON ledger_cut_hours TO openclawmu_tenant;
      GRANT SELECT, INSERT ON ledger_cut_hours TO openclawmu_platform;

      CREATE TABLE ledger_quarters (
        quarter       timestamptz NOT NULL CHECK (quarter = date_bin('15 minutes', quarter, '2000-01-01Z')),
        tenant_id     text NOT NULL,
        cost_center   text,
        token_id      text NOT NULL,
        model         text NOT NULL,
        provider      text NOT NULL,
        rate_card     integer NOT NULL,
        service_tier  text,
        is_correction boolean NOT NULL,
        ${SUMS.map((column) => `${column} bigint NOT NULL`).join(', ')},
        UNIQUE NULLS NOT DISTINCT (quarter, tenant_id, token_id, model, provider, rate_card, is_correction, service_tier, cost_center)
      );
      ALTER TABLE ledger_quarters ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON ledger_quarters TO openclawmu_tenant USING (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON ledger_quarters TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT ON ledger_quarters TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_quarters TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE ledger_quarters, ledger_cut_hours; ALTER TABLE ledger_roll_up DROP COLUMN quarters_booked_up_to',
    );
  }
}
