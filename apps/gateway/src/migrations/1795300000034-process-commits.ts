import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How often a gateway process has committed something, counted in the same transactions. The process remembers how far the count was,
 * so a database that says less is an older copy. Not a column of `gateway_processes`: a row there is locked first, and by every
 * refill of a lease, while a booking counts last.
 */
export class ProcessCommits1795300000034 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE process_commits (
        process_id uuid PRIMARY KEY REFERENCES gateway_processes (id),
        commits    bigint NOT NULL DEFAULT 0 CHECK (commits >= 0)
      );
      GRANT SELECT, INSERT, UPDATE ON process_commits TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE process_commits');
  }
}
