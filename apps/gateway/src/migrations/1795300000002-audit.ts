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

      CREATE TABLE audit_records (
        seq       bigint PRIMARY KEY,
        time      timestamptz NOT NULL,
        tenant_id text,
        action    text NOT NULL,
        hash      text NOT NULL,
        line      text NOT NULL
      );
      CREATE INDEX audit_records_tenant ON audit_records (tenant_id, seq);
      GRANT SELECT ON audit_records TO openclawmu_platform;

      CREATE TABLE audit_checkpoints (
        seq        bigint PRIMARY KEY,
        time       timestamptz NOT NULL,
        hash       text NOT NULL,
        key_id     text NOT NULL,
        signature  text NOT NULL
      );
      GRANT SELECT, INSERT ON audit_checkpoints TO openclawmu_platform;

      -- p_rest: the record's members after prevHash, as JSON text without the outer braces.
      -- The hash covers the line as it would read without its own hash member.
      CREATE FUNCTION append_audit(p_tenant text, p_action text, p_rest text, OUT o_seq bigint, OUT o_hash text)
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = openclawmu, pg_temp AS $$
      DECLARE
        v_head audit_head;
        v_time timestamptz;
        v_line text;
      BEGIN
        IF current_setting('role') = 'openclawmu_tenant' AND p_tenant IS DISTINCT FROM current_setting('app.tenant', true) THEN
          RAISE EXCEPTION 'a tenant may record only its own changes' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT * INTO STRICT v_head FROM audit_head FOR UPDATE;
        v_time := date_trunc('milliseconds', greatest(clock_timestamp(), v_head.time));
        o_seq := v_head.seq + 1;
        v_line := format('{"seq":%s,"time":"%s",%s,"prevHash":"%s"', o_seq,
          to_char(v_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), p_rest, v_head.hash);
        o_hash := encode(sha256(convert_to(v_line || '}', 'UTF8')), 'hex');
        INSERT INTO audit_records (seq, time, tenant_id, action, hash, line)
          VALUES (o_seq, v_time, p_tenant, p_action, o_hash, v_line || format(',"hash":"%s"}', o_hash));
        UPDATE audit_head SET seq = o_seq, hash = o_hash, time = v_time;
        PERFORM pg_notify('openclawmu_audit', o_seq::text);
      END $$;
      REVOKE ALL ON FUNCTION append_audit(text, text, text) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION append_audit(text, text, text) TO openclawmu_tenant, openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP FUNCTION append_audit(text, text, text); DROP TABLE audit_checkpoints, audit_records, audit_head',
    );
  }
}
