import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whose days a gateway process follows: all that run at the same time have to agree. Of processes of older versions nobody knows. */
export class ProcessTimezones1795300000033 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE gateway_processes ADD COLUMN timezone text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE gateway_processes DROP COLUMN timezone');
  }
}
