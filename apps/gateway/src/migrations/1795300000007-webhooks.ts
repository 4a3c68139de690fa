import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Notices on their way out, one row for each receiver. `due_at` is when the next attempt may begin: whoever begins one moves
 * it beyond the attempt's end, so a row whose process died is due again by itself.
 */
export class Webhooks1795300000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE webhook_deliveries (
        id          text PRIMARY KEY,
        endpoint    text NOT NULL,
        event       text NOT NULL,
        tenant_id   text,
        body        text NOT NULL,
        state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
        attempts    integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        due_at      timestamptz NOT NULL DEFAULT now(),
        created_at  timestamptz NOT NULL DEFAULT now(),
        ended_at    timestamptz CHECK ((ended_at IS NULL) = (state = 'pending')),
        last_status integer,
        last_error  text
      );
      CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, due_at) WHERE state = 'pending';
      CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (id) WHERE state = 'dead';
      CREATE INDEX webhook_deliveries_delivered ON webhook_deliveries (ended_at) WHERE state = 'delivered';
      ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON webhook_deliveries FOR INSERT TO openclawmu_tenant
        WITH CHECK (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON webhook_deliveries TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT INSERT (id, endpoint, event, tenant_id, body) ON webhook_deliveries TO openclawmu_tenant;
      GRANT SELECT, DELETE, INSERT (id, endpoint, event, tenant_id, body),
        UPDATE (state, attempts, due_at, ended_at, last_status, last_error) ON webhook_deliveries TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE webhook_deliveries');
  }
}
