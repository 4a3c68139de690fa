import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What becomes of the leases of a process that is lost with its journal.
 *
 * `written_off` of a window is the part of `spent` that no row of the ledger accounts for: an administrator decided that what
 * a lost process had leased counts as used. Of a lease it is what that process wrote off there, so that its rows, should
 * they come to light after all, are taken out of it and not counted twice.
 * `uncovered` is usage that was booked without a lease that covered it; it is never taken back.
 */
export class LostProcesses1795300000015 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE budget_windows
        ADD COLUMN written_off bigint NOT NULL DEFAULT 0 CHECK (written_off >= 0),
        ADD COLUMN uncovered   bigint NOT NULL DEFAULT 0 CHECK (uncovered >= 0),
        ADD CONSTRAINT written_off_is_spent CHECK (written_off <= spent);
      ALTER TABLE leases ADD COLUMN written_off bigint NOT NULL DEFAULT 0 CHECK (written_off >= 0);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE leases DROP COLUMN written_off;
      ALTER TABLE budget_windows DROP COLUMN written_off, DROP COLUMN uncovered;
    `);
  }
}
