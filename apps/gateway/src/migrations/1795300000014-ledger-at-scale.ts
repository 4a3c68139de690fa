import type { MigrationInterface, QueryRunner } from 'typeorm';

const SUMS = `
        requests              bigint NOT NULL,
        input_tokens          bigint NOT NULL,
        output_tokens         bigint NOT NULL,
        cache_read_tokens     bigint NOT NULL,
        cache_write_5m_tokens bigint NOT NULL,
        cache_write_1h_tokens bigint NOT NULL,
        reasoning_tokens      bigint NOT NULL,
        audio_input_tokens    bigint NOT NULL,
        audio_output_tokens   bigint NOT NULL,
        web_searches          bigint NOT NULL,
        list_cost_nanos       bigint NOT NULL,
        cost_nanos            bigint NOT NULL`;

/** The ledger summed by the hour, months that leave it, and the exports of statements they wait for. */
export class LedgerAtScale1795300000014 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- An index by tenant and instant has an entry for each row, half of its pages empty because every tenant adds at an end of
      -- its own. By the hour, equal keys share an entry: 12 bytes a row instead of 100.
      ALTER TABLE ledger ADD COLUMN hour timestamptz NOT NULL GENERATED ALWAYS AS (date_bin('1 hour', at, '2000-01-01Z')) STORED;
      DROP INDEX ledger_tenant;
      CREATE INDEX ledger_tenant ON ledger (tenant_id, hour);
      -- What is not summed up yet is found by this one, so pages are to be summarised as they fill.
      DROP INDEX ledger_booked_at;
      CREATE INDEX ledger_booked_at ON ledger USING brin (booked_at) WITH (autosummarize = on);

      CREATE TABLE ledger_hours (
        hour          timestamptz NOT NULL,
        tenant_id     text NOT NULL,
        cost_center   text,
        token_id      text NOT NULL,
        model         text NOT NULL,
        provider      text NOT NULL,
        rate_card     integer NOT NULL,
        service_tier  text,
        is_correction boolean NOT NULL,${SUMS},
        UNIQUE NULLS NOT DISTINCT (hour, tenant_id, token_id, model, provider, rate_card, is_correction, service_tier, cost_center)
      );
      CREATE INDEX ledger_hours_tenant ON ledger_hours (tenant_id, hour);
      ALTER TABLE ledger_hours ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON ledger_hours TO openclawmu_tenant USING (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON ledger_hours TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT ON ledger_hours TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_hours TO openclawmu_platform;

      -- How far: rows booked up to the first instant are in ledger_hours. Nobody books at or before the second any more, which is
      -- committed before the rows up to it are read.
      CREATE TABLE ledger_roll_up (
        the_only     boolean PRIMARY KEY DEFAULT true CHECK (the_only),
        booked_up_to timestamptz NOT NULL,
        reaching     timestamptz NOT NULL,
        CHECK (booked_up_to <= reaching)
      );
      INSERT INTO ledger_roll_up (booked_up_to, reaching) VALUES ('1970-01-01Z', '1970-01-01Z');
      GRANT SELECT ON ledger_roll_up TO openclawmu_tenant;
      GRANT SELECT, UPDATE ON ledger_roll_up TO openclawmu_platform;

      -- What has been booked of each month of the ledger so far, rows that are archived included.
      CREATE TABLE ledger_months (
        month          timestamptz PRIMARY KEY,
        rows           bigint NOT NULL,
        last_booked_at timestamptz NOT NULL
      );
      GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_months TO openclawmu_platform;

      -- Months, or late parts of them, that were taken out of the ledger. Readers have to know, so tenants may see it.
      CREATE TABLE ledger_archives (
        table_name   text PRIMARY KEY,
        month        timestamptz NOT NULL,
        until        timestamptz NOT NULL,
        booked_up_to timestamptz NOT NULL,
        bytes        bigint NOT NULL,
        detached_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp())
      );
      GRANT SELECT ON ledger_archives TO openclawmu_tenant, openclawmu_platform;
      CREATE SCHEMA openclawmu_archive;

      CREATE TABLE statement_exports (
        statement_id text NOT NULL REFERENCES statements (id),
        file         text NOT NULL CHECK (file IN ('bill', 'digests', 'delivery')),
        exported_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
        exported_by  text NOT NULL,
        PRIMARY KEY (statement_id, file)
      );
      GRANT SELECT, INSERT ON statement_exports TO openclawmu_platform;

      CREATE FUNCTION ledger_partition_name(p_month timestamptz) RETURNS text LANGUAGE sql IMMUTABLE
        RETURN 'ledger_' || to_char(p_month AT TIME ZONE 'UTC', 'YYYY_MM');

      -- Whoever is told here that there is a partition keeps it until the end of his transaction.
      CREATE OR REPLACE FUNCTION ensure_ledger_partition(p_at timestamptz) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = openclawmu, pg_temp AS $$
      DECLARE
        v_from timestamptz := date_trunc('month', p_at, 'UTC');
        v_to   timestamptz := date_trunc('month', v_from + interval '32 days', 'UTC');
        v_name text := ledger_partition_name(v_from);
      BEGIN
        LOCK TABLE ONLY ledger IN ROW EXCLUSIVE MODE;
        IF EXISTS (SELECT FROM pg_class WHERE relname = v_name AND relnamespace = 'openclawmu'::regnamespace) THEN RETURN; END IF;
        PERFORM pg_advisory_xact_lock(hashtext('ensure_ledger_partition'));
        IF EXISTS (SELECT FROM pg_class WHERE relname = v_name AND relnamespace = 'openclawmu'::regnamespace) THEN RETURN; END IF;
        EXECUTE format('CREATE TABLE %I (LIKE ledger INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS INCLUDING INDEXES)', v_name);
        EXECUTE format('ALTER TABLE ledger ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_to);
      END $$;

      -- With its indexes: names are those of a schema, and several parts of a month go into one.
      CREATE FUNCTION rename_ledger_table(p_from text, p_to text) RETURNS void
        LANGUAGE plpgsql SET search_path = openclawmu, pg_temp AS $$
      DECLARE v_index text;
      BEGIN
        IF p_from = p_to THEN RETURN; END IF;
        FOR v_index IN SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = p_from::regclass LOOP
          EXECUTE format('ALTER INDEX %I RENAME TO %I', v_index, p_to || substr(v_index, length(p_from) + 1));
        END LOOP;
        EXECUTE format('ALTER TABLE %I RENAME TO %I', p_from, p_to);
      END $$;

      -- Takes a month out of the ledger, unless a row was booked in it after the given instant; then null, else the table's new name.
      -- Gives up soon if it cannot have the ledger for itself: whoever books waits behind it.
      CREATE FUNCTION detach_ledger_partition(p_month timestamptz, p_booked_up_to timestamptz) RETURNS text
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = openclawmu, pg_temp SET lock_timeout = '1s' AS $$
      DECLARE
        v_name  text := ledger_partition_name(p_month);
        v_table text := v_name;
        v_newer boolean;
        v_part  integer := 1;
      BEGIN
        LOCK TABLE ONLY ledger IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE booked_at > $1)', v_name) INTO v_newer USING p_booked_up_to;
        IF v_newer THEN RETURN NULL; END IF;
        WHILE EXISTS (SELECT FROM ledger_archives WHERE table_name = v_table) LOOP
          v_part := v_part + 1;
          v_table := v_name || '_part_' || v_part;
        END LOOP;
        INSERT INTO ledger_archives (table_name, month, until, booked_up_to, bytes)
          VALUES (v_table, p_month, date_trunc('month', p_month + interval '32 days', 'UTC'), p_booked_up_to, pg_total_relation_size(v_name::regclass));
        EXECUTE format('ALTER TABLE ledger DETACH PARTITION %I', v_name);
        PERFORM rename_ledger_table(v_name, v_table);
        EXECUTE format('ALTER TABLE %I SET SCHEMA openclawmu_archive', v_table);
        RETURN v_table;
      END $$;

      -- Brings a month back with all its parts, which must lie in openclawmu_archive under their names. The largest becomes the
      -- partition, and the rows of the others, and of what was booked since, are copied into it.
      CREATE FUNCTION attach_ledger_partition(p_month timestamptz) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = openclawmu, pg_temp SET lock_timeout = '1s' AS $$
      DECLARE
        v_name    text := ledger_partition_name(p_month);
        v_until   timestamptz := date_trunc('month', p_month + interval '32 days', 'UTC');
        v_parts   text[];
        v_part    text;
        v_columns text;
      BEGIN
        LOCK TABLE ONLY ledger IN ACCESS EXCLUSIVE MODE;
        SELECT string_agg(quote_ident(attname), ', ') INTO v_columns FROM pg_attribute
          WHERE attrelid = 'ledger'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
        SELECT array_agg(table_name ORDER BY bytes DESC) INTO v_parts FROM ledger_archives WHERE month = p_month;
        IF EXISTS (SELECT FROM pg_class WHERE relname = v_name AND relnamespace = 'openclawmu'::regnamespace) THEN
          EXECUTE format('ALTER TABLE ledger DETACH PARTITION %I', v_name);
          PERFORM rename_ledger_table(v_name, v_name || '_since');
          v_parts := v_parts || (v_name || '_since');
        END IF;
        FOREACH v_part IN ARRAY v_parts LOOP
          IF v_part <> v_name || '_since' THEN
            EXECUTE format('ALTER TABLE openclawmu_archive.%I SET SCHEMA openclawmu', v_part);
          END IF;
          IF v_part = v_parts[1] THEN
            PERFORM rename_ledger_table(v_part, v_name);
            EXECUTE format('ALTER TABLE ledger ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name, p_month, v_until);
          ELSE
            EXECUTE format('INSERT INTO %3$I (%1$s) SELECT %1$s FROM %2$I', v_columns, v_part, v_name);
            EXECUTE format('DROP TABLE %I', v_part);
          END IF;
        END LOOP;
        DELETE FROM ledger_archives WHERE month = p_month;
      END $$;
      REVOKE ALL ON FUNCTION detach_ledger_partition(timestamptz, timestamptz), attach_ledger_partition(timestamptz), rename_ledger_table(text, text)
        FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION detach_ledger_partition(timestamptz, timestamptz), attach_ledger_partition(timestamptz) TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION detach_ledger_partition(timestamptz, timestamptz), attach_ledger_partition(timestamptz), rename_ledger_table(text, text);
      DROP TABLE statement_exports, ledger_archives, ledger_months, ledger_roll_up, ledger_hours;
      DROP SCHEMA openclawmu_archive;
      DROP INDEX ledger_tenant;
      CREATE INDEX ledger_tenant ON ledger (tenant_id, at, id);
      ALTER TABLE ledger DROP COLUMN hour;
    `);
  }
}
