import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The model catalogue, the rate cards and the ledger. */
export class Billing1795300000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE models (
        id                text PRIMARY KEY,
        provider          text NOT NULL,
        upstream_model    text NOT NULL,
        display_name      text NOT NULL,
        context_tokens    integer NOT NULL CHECK (context_tokens > 0),
        max_output_tokens integer NOT NULL CHECK (max_output_tokens > 0),
        created_at        timestamptz NOT NULL,
        updated_at        timestamptz NOT NULL
      );
      GRANT SELECT ON models TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE, DELETE ON models TO openclawmu_platform;

      -- Immutable: no role may change or delete one. The document is the canonical text the hash covers; it holds the
      -- other columns too, which are there to be found by.
      CREATE TABLE rate_cards (
        version      integer PRIMARY KEY,
        effective_at timestamptz NOT NULL UNIQUE,
        currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        document     text NOT NULL,
        hash         text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
        created_at   timestamptz NOT NULL,
        created_by   text NOT NULL
      );
      GRANT SELECT ON rate_cards TO openclawmu_tenant;
      GRANT SELECT, INSERT ON rate_cards TO openclawmu_platform;

      -- The cost centre is the one the department had when the row was booked: a bill must not change when a department moves.
      CREATE TABLE ledger (
        id                  uuid NOT NULL,
        at                  timestamptz NOT NULL,
        booked_at           timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
        tenant_id           text NOT NULL,
        cost_center         text,
        token_id            text NOT NULL,
        subject             text,
        model               text NOT NULL,
        provider            text NOT NULL,
        provider_request_id text,
        rate_card           integer NOT NULL,
        formula             smallint NOT NULL,
        status              text NOT NULL CHECK (status IN ('actual', 'estimated', 'unconfirmed', 'quarantined', 'correction')),
        outcome             text NOT NULL CHECK (outcome IN ('completed', 'aborted', 'failed', 'unknown')),
        input_tokens          bigint NOT NULL,
        output_tokens         bigint NOT NULL,
        cache_read_tokens     bigint NOT NULL,
        cache_write_5m_tokens bigint NOT NULL,
        cache_write_1h_tokens bigint NOT NULL,
        reasoning_tokens      bigint NOT NULL,
        cost_nanos          bigint NOT NULL,
        corrects            uuid,
        PRIMARY KEY (at, id)
      ) PARTITION BY RANGE (at);
      -- Rows come in the order they are booked, so this one is tiny and yet finds the late ones of all months before.
      CREATE INDEX ledger_booked_at ON ledger USING brin (booked_at);
      CREATE INDEX ledger_tenant ON ledger (tenant_id, at, id);
      ALTER TABLE ledger ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON ledger TO openclawmu_tenant USING (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON ledger TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT ON ledger TO openclawmu_tenant;
      GRANT SELECT, INSERT ON ledger TO openclawmu_platform;

      -- Waits for whoever is booking and keeps others from it for a moment. What was booked by then is committed, and whoever
      -- books afterwards reads a later clock, so the rows booked up to this instant are the same ones for ever.
      CREATE FUNCTION ledger_booked_up_to() RETURNS timestamptz
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = openclawmu, pg_temp AS $$
      BEGIN
        LOCK TABLE ledger IN SHARE MODE;
        RETURN date_trunc('milliseconds', clock_timestamp()) - interval '1 millisecond';
      END $$;
      REVOKE ALL ON FUNCTION ledger_booked_up_to() FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION ledger_booked_up_to() TO openclawmu_platform;

      -- Closed bills: which rows of the ledger, and what their file amounted to. No role may change or delete one.
      CREATE TABLE statements (
        id             text PRIMARY KEY,
        month          text NOT NULL CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
        schema         text NOT NULL,
        tenant_id      text REFERENCES tenants (id),
        time_zone      text NOT NULL,
        from_at        timestamptz NOT NULL,
        to_at          timestamptz NOT NULL,
        as_of          timestamptz NOT NULL,
        late_after     timestamptz,
        currency       text,
        rows           bigint NOT NULL,
        late_rows      bigint NOT NULL,
        bytes          bigint NOT NULL,
        sha256         text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        digests_sha256 text NOT NULL CHECK (digests_sha256 ~ '^[0-9a-f]{64}$'),
        rate_cards     jsonb NOT NULL,
        requests              bigint NOT NULL,
        input_tokens          bigint NOT NULL,
        cache_read_tokens     bigint NOT NULL,
        cache_write_5m_tokens bigint NOT NULL,
        cache_write_1h_tokens bigint NOT NULL,
        output_tokens         bigint NOT NULL,
        reasoning_tokens      bigint NOT NULL,
        cost_nanos            bigint NOT NULL,
        closed_at      timestamptz NOT NULL,
        closed_by      text NOT NULL,
        UNIQUE NULLS NOT DISTINCT (tenant_id, month)
      );
      CREATE INDEX statements_as_of ON statements (as_of);
      GRANT SELECT, INSERT ON statements TO openclawmu_platform;

      -- Months in UTC. Partitions are reached only through the ledger, so they need no grants of their own. A table is made
      -- first and attached then, because creating it as a partition would lock out readers and writers of the ledger.
      CREATE FUNCTION ensure_ledger_partition(p_at timestamptz) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = openclawmu, pg_temp AS $$
      DECLARE
        v_from timestamptz := date_trunc('month', p_at, 'UTC');
        v_to   timestamptz := date_trunc('month', v_from + interval '32 days', 'UTC');
        v_name text := 'ledger_' || to_char(v_from AT TIME ZONE 'UTC', 'YYYY_MM');
      BEGIN
        IF to_regclass('openclawmu.' || v_name) IS NOT NULL THEN RETURN; END IF;
        PERFORM pg_advisory_xact_lock(hashtext('ensure_ledger_partition'));
        -- Not to_regclass again: it would answer from a cache that has not heard of what the lock's last holder made.
        IF EXISTS (SELECT FROM pg_class WHERE relname = v_name AND relnamespace = 'openclawmu'::regnamespace) THEN RETURN; END IF;
        EXECUTE format('CREATE TABLE %I (LIKE ledger INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', v_name);
        EXECUTE format('ALTER TABLE ledger ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_to);
      END $$;
      REVOKE ALL ON FUNCTION ensure_ledger_partition(timestamptz) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION ensure_ledger_partition(timestamptz) TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE statements, ledger; DROP FUNCTION ensure_ledger_partition(timestamptz), ledger_booked_up_to(); DROP TABLE rate_cards, models',
    );
  }
}
