import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A tenant's windows are found by its name, as those of its models are: they are only where something is limited, so holds may name none. */
export class TenantWindows1795300000035 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await this.index(runner, `'organisation', 'tenant', 'model'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await this.index(runner, `'organisation', 'model'`);
  }

  private async index(runner: QueryRunner, scopes: string): Promise<void> {
    await runner.query(`
      DROP INDEX budget_windows_wide;
      CREATE INDEX budget_windows_wide ON budget_windows (tenant_id, ends_at) WHERE scope IN (${scopes})`);
  }
}
