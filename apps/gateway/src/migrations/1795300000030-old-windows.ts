import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Windows of budgets may go when their months have left the ledger. */
export class OldWindows1795300000030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('GRANT DELETE ON budget_windows, budget_notices TO openclawmu_platform');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('REVOKE DELETE ON budget_windows, budget_notices FROM openclawmu_platform');
  }
}
