import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which of the model APIs a call was made by. */
export class LedgerApi1795300000031 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE ledger ADD COLUMN api "char";
      COMMENT ON COLUMN ledger.api IS 'the model API that was called: c chat, r responses, m messages, e embeddings; null where the row does not say';

      -- Months that left the ledger and are still here come back without further ado.
      DO $$
      DECLARE v_table text;
      BEGIN
        FOR v_table IN SELECT relname FROM pg_class WHERE relnamespace = 'openclawmu_archive'::regnamespace AND relkind = 'r' LOOP
          EXECUTE format('ALTER TABLE openclawmu_archive.%I ADD COLUMN api "char"', v_table);
        END LOOP;
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE ledger DROP COLUMN api');
  }
}
