import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How many requests a tenant and each of its tokens may make in a minute, and how many of a minute's requests gateway processes
 * have taken. `taken <= most` is the promise that no minute has more; `most` is the limit in force when the last were taken.
 * Not an unlogged table: a crash of the server would empty it, and the minute would begin anew.
 */
export class RequestRates1795300000016 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tenant_limits (
        tenant_id                     text PRIMARY KEY REFERENCES tenants (id),
        requests_per_minute           integer CHECK (requests_per_minute > 0),
        requests_per_minute_per_token integer CHECK (requests_per_minute_per_token > 0),
        updated_at                    timestamptz NOT NULL
      );
      ALTER TABLE tenant_limits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON tenant_limits TO openclawmu_tenant USING (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON tenant_limits TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT ON tenant_limits TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE ON tenant_limits TO openclawmu_platform;

      CREATE TABLE request_minutes (
        key     text NOT NULL,
        minute  timestamptz NOT NULL,
        most    integer NOT NULL,
        taken   integer NOT NULL,
        granted integer NOT NULL,
        PRIMARY KEY (key, minute),
        CONSTRAINT rate_never_passed CHECK (taken <= most)
      ) WITH (fillfactor = 50);
      GRANT SELECT, INSERT, UPDATE, DELETE ON request_minutes TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE request_minutes, tenant_limits');
  }
}
