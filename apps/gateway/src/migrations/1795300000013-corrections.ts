import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why a row of the ledger is not sure, what was corrected, and which rate cards correct others. */
export class Corrections1795300000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A code where the gateway says why a row is not actual, a person's words where somebody corrected one.
      ALTER TABLE ledger ADD COLUMN reason text CHECK (char_length(reason) <= 200);

      -- Few rows are not actual and few are corrected, so these stay small however long the ledger gets.
      CREATE INDEX ledger_uncertain ON ledger (at, id) WHERE status IN ('estimated', 'unconfirmed', 'quarantined');
      CREATE INDEX ledger_corrects ON ledger (at, corrects) WHERE corrects IS NOT NULL;

      -- A card that corrects another takes its place from the same moment; of two, the later version counts.
      ALTER TABLE rate_cards DROP CONSTRAINT rate_cards_effective_at_key;
      CREATE INDEX rate_cards_effective_at ON rate_cards (effective_at);

      -- How far the corrections that follow from a card are booked: rows booked up to done_up_to are dealt with; the pass under
      -- way is about those up to pass_up_to, and has come to the row named by after_at and after_id.
      CREATE TABLE card_corrections (
        version    integer PRIMARY KEY REFERENCES rate_cards (version),
        reason     text NOT NULL,
        done_up_to timestamptz,
        pass_up_to timestamptz,
        after_at   timestamptz,
        after_id   uuid,
        corrected  bigint NOT NULL DEFAULT 0,
        unchanged  bigint NOT NULL DEFAULT 0,
        unpriced   bigint NOT NULL DEFAULT 0,
        stated     bigint NOT NULL DEFAULT 0
      );
      GRANT SELECT, INSERT, UPDATE ON card_corrections TO openclawmu_platform;

      CREATE TABLE card_correction_tenants (
        version          integer NOT NULL REFERENCES card_corrections (version),
        tenant_id        text NOT NULL,
        rows             bigint NOT NULL,
        difference_nanos bigint NOT NULL,
        PRIMARY KEY (version, tenant_id)
      );
      ALTER TABLE card_correction_tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY every_tenant ON card_correction_tenants TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT, INSERT, UPDATE ON card_correction_tenants TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE card_correction_tenants, card_corrections;
      DROP INDEX rate_cards_effective_at;
      ALTER TABLE rate_cards ADD CONSTRAINT rate_cards_effective_at_key UNIQUE (effective_at);
      DROP INDEX ledger_corrects, ledger_uncertain;
      ALTER TABLE ledger DROP COLUMN reason`);
  }
}
