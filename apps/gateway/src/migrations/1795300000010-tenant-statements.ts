import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets a department read its own closed bills, and no others. */
export class TenantStatements1795300000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE statements ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      -- The whole gateway's have no tenant, so no department owns them.
      CREATE POLICY own_tenant ON statements TO openclawmu_tenant USING (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON statements TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT ON statements TO openclawmu_tenant;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      REVOKE SELECT ON statements FROM openclawmu_tenant;
      DROP POLICY own_tenant ON statements; DROP POLICY every_tenant ON statements;
      ALTER TABLE statements NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
    `);
  }
}
