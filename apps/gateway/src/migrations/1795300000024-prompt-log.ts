import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Requests and answers that are kept, encrypted, of the tenants that an administrator has chosen. */
export class PromptLog1795300000024 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The administrator's, like the name: a tenant may change its settings only.
      ALTER TABLE tenants ADD COLUMN prompt_log boolean NOT NULL DEFAULT false;

      CREATE TABLE prompt_log (
        request_id    text NOT NULL CHECK (request_id ~ '^req_[0-9a-f]{32}$'),
        tenant_id     text NOT NULL REFERENCES tenants (id),
        at            timestamptz NOT NULL,
        token_id      text NOT NULL,
        model         text NOT NULL,
        api           text NOT NULL,
        status        integer NOT NULL,
        request_bytes integer NOT NULL,
        answer_bytes  integer NOT NULL,
        is_whole      boolean NOT NULL,
        key_id        text NOT NULL,
        wrapped_key   bytea NOT NULL,
        sealed        bytea NOT NULL,
        PRIMARY KEY (request_id)
      );
      CREATE INDEX prompt_log_tenant ON prompt_log (tenant_id, at, request_id);
      CREATE INDEX prompt_log_at ON prompt_log (at);
      ALTER TABLE prompt_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      -- No tenant reads here, not even its own: whoever has one of its tokens would read what its other people wrote.
      CREATE POLICY own_tenant ON prompt_log TO openclawmu_tenant USING (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON prompt_log TO openclawmu_platform USING (true) WITH CHECK (true);
      -- Deleted by age and with its tenant; never changed.
      GRANT SELECT, INSERT, DELETE ON prompt_log TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE prompt_log; ALTER TABLE tenants DROP COLUMN prompt_log');
  }
}
