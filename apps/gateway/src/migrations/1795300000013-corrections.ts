import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why a row of the ledger is not sure, what was corrected, and what is left to be looked at. */
export class Corrections1795300000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A code where the gateway says why a row is not actual, a person's words where somebody corrected one.
      ALTER TABLE ledger ADD COLUMN reason text CHECK (char_length(reason) <= 200);

      -- Few rows are not actual and few are corrected, so these stay small however long the ledger gets.
      CREATE INDEX ledger_uncertain ON ledger (at, id) WHERE status IN ('estimated', 'unconfirmed', 'quarantined');
      CREATE INDEX ledger_corrects ON ledger (at, corrects) WHERE corrects IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ledger_corrects, ledger_uncertain; ALTER TABLE ledger DROP COLUMN reason');
  }
}
