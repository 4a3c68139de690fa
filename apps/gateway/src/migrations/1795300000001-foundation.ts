import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What every lib stands on: change counters and idempotent answers. */
export class Foundation1795300000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE change_counters (
        kind text PRIMARY KEY,
        n    bigint NOT NULL
      );
      GRANT SELECT ON change_counters TO openclawmu_platform;

      -- The row lock is held until the commit, so the counter of a kind rises in the order of the commits.
      CREATE FUNCTION announce_change(p_kind text, p_id text) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = openclawmu, pg_temp AS $$
      DECLARE v_n bigint;
      BEGIN
        INSERT INTO change_counters AS c (kind, n) VALUES (p_kind, 1)
          ON CONFLICT (kind) DO UPDATE SET n = c.n + 1 RETURNING n INTO v_n;
        PERFORM pg_notify('openclawmu_changes', json_build_object('kind', p_kind, 'id', p_id, 'n', v_n)::text);
      END $$;
      REVOKE ALL ON FUNCTION announce_change(text, text) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION announce_change(text, text) TO openclawmu_tenant, openclawmu_platform;

      CREATE TABLE idempotency_keys (
        id           bytea PRIMARY KEY,
        tenant_id    text,
        request_hash bytea NOT NULL,
        answer       bytea NOT NULL,
        created_at   timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
      ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON idempotency_keys TO openclawmu_tenant
        USING (tenant_id = current_setting('app.tenant', true)) WITH CHECK (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON idempotency_keys TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE idempotency_keys; DROP FUNCTION announce_change(text, text); DROP TABLE change_counters',
    );
  }
}
