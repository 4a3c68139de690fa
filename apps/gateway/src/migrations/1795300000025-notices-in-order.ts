import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A notice is dated when it is told, not when its transaction began: who waited for a window's lock has a later time than the one
 * that had it.
 */
export class NoticesInOrder1795300000025 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhook_deliveries ALTER COLUMN created_at SET DEFAULT clock_timestamp()');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhook_deliveries ALTER COLUMN created_at SET DEFAULT now()');
  }
}
