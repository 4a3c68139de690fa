import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What providers bill beside text: audio, searches and service tiers; whom a call was for; what it costs before a markup. */
export class LedgerColumns1795300000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Defaults that are constants rewrite no partition, and a null takes no room in a row.
    await runner.query(`
      ALTER TABLE ledger
        ADD COLUMN audio_input_tokens  bigint  NOT NULL DEFAULT 0,
        ADD COLUMN audio_output_tokens bigint  NOT NULL DEFAULT 0,
        ADD COLUMN web_searches        integer NOT NULL DEFAULT 0,
        ADD COLUMN service_tier        text,
        ADD COLUMN end_user            text,
        ADD COLUMN list_cost_nanos     bigint;
      COMMENT ON COLUMN ledger.list_cost_nanos IS 'null where it is cost_nanos';

      ALTER TABLE statements
        ADD COLUMN audio_input_tokens  bigint NOT NULL DEFAULT 0,
        ADD COLUMN audio_output_tokens bigint NOT NULL DEFAULT 0,
        ADD COLUMN web_searches        bigint NOT NULL DEFAULT 0,
        ADD COLUMN list_cost_nanos     bigint;
      COMMENT ON COLUMN statements.list_cost_nanos IS 'null where it is cost_nanos';

      -- Embedding models answer without output.
      ALTER TABLE models
        DROP CONSTRAINT models_max_output_tokens_check,
        ADD CONSTRAINT models_max_output_tokens_check CHECK (max_output_tokens >= 0);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE ledger DROP COLUMN audio_input_tokens, DROP COLUMN audio_output_tokens, DROP COLUMN web_searches,
        DROP COLUMN service_tier, DROP COLUMN end_user, DROP COLUMN list_cost_nanos;
      ALTER TABLE statements DROP COLUMN audio_input_tokens, DROP COLUMN audio_output_tokens, DROP COLUMN web_searches,
        DROP COLUMN list_cost_nanos;
      DELETE FROM models WHERE max_output_tokens = 0;
      ALTER TABLE models
        DROP CONSTRAINT models_max_output_tokens_check,
        ADD CONSTRAINT models_max_output_tokens_check CHECK (max_output_tokens > 0);
    `);
  }
}
