import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The append-only audit chain. No role may update or delete; the one way in is a function that extends the chain. */
export class Audit1795300000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_head (
        one  boolean PRIMARY KEY DEFAULT true CHECK (one),
        seq  bigint NOT NULL,
        hash text NOT NULL,
        time timestamptz NOT NULL
      );
      INSERT INTO audit_head (seq, hash, time) VALUES (0, repeat('0', 64), 'epoch');
      GRANT SELECT ON audit_head TO openclawmu_platform;

      CREATE TABLE audit_records (
        seq       bigint PRIMARY KEY,
        time      timestamptz NOT NULL,
        tenant_id text,
        action    text NOT NULL,
        actor_id  text,
        outcome   text NOT NULL,
        hash      text NOT NULL,
        line      text NOT NULL
      );
      CREATE INDEX audit_records_tenant ON audit_records (tenant_id, seq);
      CREATE INDEX audit_records_actor ON audit_records (actor_id, seq);
      CREATE INDEX audit_records_time ON audit_records (time);
      GRANT SELECT ON audit_records TO openclawmu_platform;

      -- Every data directory has a key of its own, so several may vouch for the same record.
      CREATE TABLE audit_checkpoints (
        seq        bigint NOT NULL,
        time       timestamptz NOT NULL,
        hash       text NOT NULL,
        key_id     text NOT NULL,
        signature  text NOT NULL,
        PRIMARY KEY (seq, key_id)
      );
      GRANT SELECT, INSERT ON audit_checkpoints TO openclawmu_platform;

      -- p_members: the record's members between time and prevHash, as JSON text without the outer braces.
      -- The hash covers the line as it would read without its own hash member.
      CREATE FUNCTION append_audit(p_tenant text, p_action text, p_actor text, p_outcome text, p_members text) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = openclawmu, pg_temp AS $$
      DECLARE
        v_head audit_head;
        v_seq  bigint;
        v_time timestamptz;
        v_line text;
        v_hash text;
      BEGIN
        IF current_setting('role') = 'openclawmu_tenant' AND p_tenant IS DISTINCT FROM current_setting('app.tenant', true) THEN
          RAISE EXCEPTION 'a tenant may record only its own changes' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT * INTO STRICT v_head FROM audit_head FOR UPDATE;
        v_time := date_trunc('milliseconds', greatest(clock_timestamp(), v_head.time));
        v_seq := v_head.seq + 1;
        v_line := format('{"seq":%s,"time":"%s",%s,"prevHash":"%s"', v_seq,
          to_char(v_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), p_members, v_head.hash);
        v_hash := encode(sha256(convert_to(v_line || '}', 'UTF8')), 'hex');
        INSERT INTO audit_records (seq, time, tenant_id, action, actor_id, outcome, hash, line)
          VALUES (v_seq, v_time, p_tenant, p_action, p_actor, p_outcome, v_hash, v_line || format(',"hash":"%s"}', v_hash));
        UPDATE audit_head SET seq = v_seq, hash = v_hash, time = v_time;
        PERFORM pg_notify('openclawmu_audit', v_seq::text);
      END $$;
      REVOKE ALL ON FUNCTION append_audit(text, text, text, text, text) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION append_audit(text, text, text, text, text) TO openclawmu_tenant, openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP FUNCTION append_audit(text, text, text, text, text); DROP TABLE audit_checkpoints, audit_records, audit_head',
    );
  }
}
