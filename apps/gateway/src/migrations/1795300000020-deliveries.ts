import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bills that are delivered to a folder or a bucket: when, by whom, and what stands there. */
export class Deliveries1795300000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A run of a delivery: due by its schedule, or asked for. Whoever sets "claim" carries it out, until "claimed_until".
      CREATE TABLE report_deliveries (
        delivery      text NOT NULL,
        slot          timestamptz NOT NULL,
        period        text,
        requested_by  text,
        state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'retrying', 'done', 'failed')),
        -- Rows booked later are none of this run's, however often it is tried.
        as_of         timestamptz,
        attempts      integer NOT NULL DEFAULT 0,
        attempt_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
        claim         uuid,
        claimed_until timestamptz,
        error         text,
        files         integer NOT NULL DEFAULT 0,
        revised       integer NOT NULL DEFAULT 0,
        rows          bigint NOT NULL DEFAULT 0,
        finished_at   timestamptz,
        PRIMARY KEY (delivery, slot),
        CHECK ((state = 'running') = (claim IS NOT NULL AND claimed_until IS NOT NULL))
      );
      CREATE INDEX report_deliveries_open ON report_deliveries (delivery, slot) WHERE state IN ('waiting', 'running', 'retrying');
      ALTER TABLE report_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY every_tenant ON report_deliveries TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT, INSERT, UPDATE ON report_deliveries TO openclawmu_platform;

      -- What was delivered: a row for each revision of a file.
      CREATE TABLE delivered_reports (
        delivery     text NOT NULL,
        schema       text NOT NULL,
        period       text NOT NULL,
        tenant_id    text,
        revision     integer NOT NULL CHECK (revision > 0),
        as_of        timestamptz NOT NULL,
        rows         bigint NOT NULL,
        requests     bigint NOT NULL,
        sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        delivered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE NULLS NOT DISTINCT (delivery, schema, period, tenant_id, revision)
      );
      ALTER TABLE delivered_reports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY every_tenant ON delivered_reports TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT, INSERT ON delivered_reports TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE delivered_reports, report_deliveries');
  }
}
