import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Answers that tenants have kept for a while, and what calls that were answered with them have saved. */
export class ResponseCache1795300000023 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Not logged: after a crash, and on a server that takes over from this one, it is empty, which costs its answers and nothing else.
      -- What is in it does not get into the log of changes either. Its ids and texts tell nothing to whoever lacks the request.
      CREATE UNLOGGED TABLE cached_answers (
        tenant_id  text NOT NULL REFERENCES tenants (id),
        id         bytea NOT NULL CHECK (octet_length(id) = 32),
        answer     bytea NOT NULL,
        bytes      integer NOT NULL GENERATED ALWAYS AS (octet_length(answer)) STORED,
        stored_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id)
      );
      -- Encrypted text does not get smaller.
      ALTER TABLE cached_answers ALTER COLUMN answer SET STORAGE EXTERNAL;
      CREATE INDEX cached_answers_age ON cached_answers (tenant_id, stored_at) INCLUDE (bytes);
      CREATE INDEX cached_answers_expiry ON cached_answers (expires_at);
      ALTER TABLE cached_answers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON cached_answers TO openclawmu_tenant
        USING (tenant_id = current_setting('app.tenant', true)) WITH CHECK (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON cached_answers TO openclawmu_platform USING (true);
      GRANT SELECT, INSERT, UPDATE, DELETE ON cached_answers TO openclawmu_tenant;
      GRANT SELECT (tenant_id, id, bytes, expires_at), DELETE ON cached_answers TO openclawmu_platform;

      ALTER TABLE ledger ADD COLUMN saved_nanos bigint;
      COMMENT ON COLUMN ledger.saved_nanos IS 'what the same answer had cost, of calls that the response cache answered';
      ALTER TABLE ledger_hours ADD COLUMN cached_requests bigint NOT NULL DEFAULT 0, ADD COLUMN saved_nanos bigint NOT NULL DEFAULT 0;
      ALTER TABLE ledger_days ADD COLUMN cached_requests bigint NOT NULL DEFAULT 0, ADD COLUMN saved_nanos bigint NOT NULL DEFAULT 0;

      -- Months that left the ledger and are still here come back without further ado.
      DO $$
      DECLARE v_table text;
      BEGIN
        FOR v_table IN SELECT relname FROM pg_class WHERE relnamespace = 'openclawmu_archive'::regnamespace AND relkind = 'r' LOOP
          EXECUTE format('ALTER TABLE openclawmu_archive.%I ADD COLUMN saved_nanos bigint', v_table);
        END LOOP;
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE ledger_days DROP COLUMN cached_requests, DROP COLUMN saved_nanos;
      ALTER TABLE ledger_hours DROP COLUMN cached_requests, DROP COLUMN saved_nanos;
      ALTER TABLE ledger DROP COLUMN saved_nanos;
      DROP TABLE cached_answers`);
  }
}
