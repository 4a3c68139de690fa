import type { MigrationInterface, QueryRunner } from 'typeorm';

/** At which percents of its limit a budget is told of, and of which windows that has been done; without a percent: of its first refusal. */
export class BudgetNotices1795300000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE budgets ADD COLUMN thresholds smallint[] NOT NULL DEFAULT '{50,80,100}'
        CHECK (cardinality(thresholds) <= 10 AND 1 <= ALL (thresholds) AND 100 >= ALL (thresholds));

      CREATE TABLE budget_notices (
        window_id bigint NOT NULL REFERENCES budget_windows (id),
        percent   smallint CHECK (percent BETWEEN 1 AND 100),
        at        timestamptz NOT NULL DEFAULT now(),
        UNIQUE NULLS NOT DISTINCT (window_id, percent)
      );
      GRANT SELECT, INSERT ON budget_notices TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE budget_notices; ALTER TABLE budgets DROP COLUMN thresholds');
  }
}
