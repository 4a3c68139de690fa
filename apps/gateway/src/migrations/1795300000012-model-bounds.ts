import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the catalogue knows of a model beyond its windows, so that a request's worst case is no larger than it has to be. */
export class ModelBounds1795300000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE models
        ADD COLUMN tokenizer text CHECK (tokenizer IN ('o200k_base', 'cl100k_base')),
        ADD COLUMN image_tokens integer CHECK (image_tokens > 0),
        ADD COLUMN image_patch_pixels integer CHECK (image_patch_pixels > 0),
        ADD COLUMN audio_tokens_per_second integer CHECK (audio_tokens_per_second > 0),
        ADD COLUMN search_tokens integer CHECK (search_tokens > 0),
        ADD COLUMN max_searches integer CHECK (max_searches > 0);
      UPDATE models SET tokenizer = 'o200k_base'
        WHERE upstream_model ~ '^(gpt-4o|chatgpt-4o|gpt-4\\.1|gpt-4\\.5|gpt-5|gpt-audio|gpt-oss|o[134](-|$))';
      UPDATE models SET tokenizer = 'cl100k_base' WHERE tokenizer IS NULL AND upstream_model ~ '^(gpt-4|gpt-3\\.5)';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE models DROP COLUMN tokenizer, DROP COLUMN image_tokens, DROP COLUMN image_patch_pixels,
        DROP COLUMN audio_tokens_per_second, DROP COLUMN search_tokens, DROP COLUMN max_searches;
    `);
  }
}
