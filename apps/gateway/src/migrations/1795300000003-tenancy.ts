import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Departments and their tokens. */
export class Tenancy1795300000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tenants (
        id             text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,31}$'),
        name           text NOT NULL,
        status         text NOT NULL CHECK (status IN ('active', 'suspended', 'deleted')),
        cost_center    text,
        allowed_models text[],
        settings       jsonb NOT NULL,
        created_at     timestamptz NOT NULL,
        updated_at     timestamptz NOT NULL,
        deleted_at     timestamptz
      );
      ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON tenants TO openclawmu_tenant
        USING (id = current_setting('app.tenant', true)) WITH CHECK (id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON tenants TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT, UPDATE (settings, updated_at) ON tenants TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE ON tenants TO openclawmu_platform;

      CREATE TABLE tokens (
        id             text PRIMARY KEY,
        tenant_id      text NOT NULL REFERENCES tenants (id),
        label          text NOT NULL,
        hash           bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
        hint           text NOT NULL,
        role           text NOT NULL CHECK (role IN ('owner', 'member')),
        allowed_models text[],
        expires_at     timestamptz,
        created_at     timestamptz NOT NULL,
        created_by     text NOT NULL,
        replaces       text REFERENCES tokens (id),
        revoked_at     timestamptz
      );
      CREATE INDEX tokens_tenant ON tokens (tenant_id, id);
      ALTER TABLE tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON tokens TO openclawmu_tenant
        USING (tenant_id = current_setting('app.tenant', true)) WITH CHECK (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON tokens TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT, INSERT, UPDATE (expires_at, revoked_at) ON tokens TO openclawmu_tenant, openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tokens, tenants');
  }
}
