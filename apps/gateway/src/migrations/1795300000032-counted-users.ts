import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How far the ledger has been read for a budget that each end user has, in the period in which it was set; and up to which instant
 * rows were read for any of them: whoever books later is told a later one.
 */
export class CountedUsers1795300000032 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE budgets ADD COLUMN counted_from timestamptz, ADD COLUMN counted_to timestamptz;
      ALTER TABLE ledger_roll_up ADD COLUMN counted_to timestamptz NOT NULL DEFAULT '1970-01-01Z';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE budgets DROP COLUMN counted_from, DROP COLUMN counted_to;
      ALTER TABLE ledger_roll_up DROP COLUMN counted_to;
    `);
  }
}
