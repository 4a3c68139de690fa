import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Budgets, their windows and the leases of headroom that gateway processes hold on them.
 *
 * `spent + leased <= ceiling` is the promise that a budget is never passed. The ceiling is the limit, except after a
 * limit was lowered below what is already spent and leased: then it is that sum, and falls with it.
 * The limit of a window is that of its budget and what was added to this window alone, the top-up.
 * A window without a limit counts what is used, so that a limit set later finds the true figure.
 */
export class Quota1795300000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE budgets (
        id           text PRIMARY KEY,
        tenant_id    text NOT NULL REFERENCES tenants (id),
        metric       text NOT NULL CHECK (metric IN ('cost', 'tokens')),
        period       text NOT NULL CHECK (period IN ('day', 'month')),
        scope        text NOT NULL,
        limit_amount bigint NOT NULL CHECK (limit_amount >= 0),
        created_at   timestamptz NOT NULL,
        updated_at   timestamptz NOT NULL,
        UNIQUE (tenant_id, metric, period, scope)
      );
      ALTER TABLE budgets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON budgets TO openclawmu_tenant USING (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON budgets TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT ON budgets TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE, DELETE ON budgets TO openclawmu_platform;

      CREATE TABLE budget_windows (
        id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant_id    text NOT NULL REFERENCES tenants (id),
        metric       text NOT NULL CHECK (metric IN ('cost', 'tokens')),
        period       text NOT NULL CHECK (period IN ('day', 'month')),
        scope        text NOT NULL,
        starts_at    timestamptz NOT NULL,
        ends_at      timestamptz NOT NULL CHECK (ends_at > starts_at),
        limit_amount bigint,
        top_up       bigint NOT NULL DEFAULT 0 CHECK (top_up >= 0),
        ceiling      bigint CHECK ((ceiling IS NULL) = (limit_amount IS NULL)),
        spent        bigint NOT NULL DEFAULT 0 CHECK (spent >= 0),
        leased       bigint NOT NULL DEFAULT 0 CHECK (leased >= 0),
        UNIQUE (tenant_id, metric, period, scope, starts_at),
        CONSTRAINT budget_never_passed CHECK (spent + leased <= ceiling)
      );
      ALTER TABLE budget_windows ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON budget_windows TO openclawmu_tenant USING (tenant_id = current_setting('app.tenant', true));
      CREATE POLICY every_tenant ON budget_windows TO openclawmu_platform USING (true) WITH CHECK (true);
      GRANT SELECT ON budget_windows TO openclawmu_tenant;
      GRANT SELECT, INSERT, UPDATE ON budget_windows TO openclawmu_platform;

      CREATE TABLE gateway_processes (
        id         uuid PRIMARY KEY,
        host       text NOT NULL,
        pid        integer NOT NULL,
        started_at timestamptz NOT NULL DEFAULT now(),
        ended_at   timestamptz,
        ended_how  text CHECK (ended_how IN ('drained', 'recovered', 'resolved'))
      );
      GRANT SELECT, INSERT, UPDATE ON gateway_processes TO openclawmu_platform;

      CREATE TABLE leases (
        window_id  bigint NOT NULL REFERENCES budget_windows (id),
        process_id uuid NOT NULL REFERENCES gateway_processes (id),
        amount     bigint NOT NULL CHECK (amount >= 0),
        PRIMARY KEY (process_id, window_id)
      );
      CREATE INDEX leases_window ON leases (window_id);
      GRANT SELECT, INSERT, UPDATE, DELETE ON leases TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE leases, gateway_processes, budget_windows, budgets');
  }
}
