import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What model calls have to obey, of each tenant; without a tenant, of all together. A tenant may read what holds for it. */
export class TenantPolicies1795300000022 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tenant_policies (
        tenant_id  text UNIQUE NULLS NOT DISTINCT REFERENCES tenants (id),
        content    jsonb NOT NULL,
        updated_at timestamptz NOT NULL
      );
      ALTER TABLE tenant_policies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON tenant_policies TO openclawmu_tenant
        USING (tenant_id IS NULL OR tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON tenant_policies TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT ON tenant_policies TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_policies TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tenant_policies');
  }
}
