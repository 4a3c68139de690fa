import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Budgets of a part of a tenant, a model, a token or an end user, and of the whole organisation.
 *
 * `target` names the model or pattern, the token or the end user; a budget for `*` of a token's or an end user's scope holds for
 * each of them by itself, so its windows name the one they are of. The organisation's rows belong to no tenant, and no
 * tenant sees them.
 */
export class BudgetScopes1795300000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [table, key] of [
      ['budgets', 'tenant_id, metric, period, scope, target'],
      ['budget_windows', 'tenant_id, metric, period, scope, starts_at, target'],
    ])
      await runner.query(`
        ALTER TABLE ${table} ADD COLUMN target text NOT NULL DEFAULT '', ALTER COLUMN tenant_id DROP NOT NULL;
        UPDATE ${table} SET scope = 'tenant' WHERE scope = '';
        ALTER TABLE ${table}
          ADD CONSTRAINT scope_is_known CHECK (scope IN ('organisation', 'tenant', 'model', 'token', 'user')),
          ADD CONSTRAINT organisation_has_no_tenant CHECK ((scope = 'organisation') = (tenant_id IS NULL)),
          ADD CONSTRAINT whole_has_no_target CHECK ((scope IN ('organisation', 'tenant')) = (target = '')),
          ADD CONSTRAINT ${table}_key UNIQUE NULLS NOT DISTINCT (${key});
      `);
    await runner.query(`
      ALTER TABLE budgets DROP CONSTRAINT budgets_tenant_id_metric_period_scope_key;
      ALTER TABLE budget_windows DROP CONSTRAINT budget_windows_tenant_id_metric_period_scope_starts_at_key;

      -- Which windows a row counts in beside its tenant's. Of the one kind a tenant has few, of the other one for each token or end user.
      CREATE INDEX budget_windows_wide ON budget_windows (tenant_id, ends_at) WHERE scope IN ('organisation', 'model');
      CREATE INDEX budget_windows_narrow ON budget_windows (tenant_id, scope, target, ends_at) WHERE scope IN ('token', 'user');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM leases USING budget_windows w WHERE w.id = window_id AND w.scope <> 'tenant';
      DROP INDEX budget_windows_wide, budget_windows_narrow`);
    for (const [table, key] of [
      ['budgets', 'tenant_id, metric, period, scope'],
      ['budget_windows', 'tenant_id, metric, period, scope, starts_at'],
    ])
      await runner.query(`
        DELETE FROM ${table} WHERE scope <> 'tenant';
        ALTER TABLE ${table} DROP COLUMN target, DROP CONSTRAINT scope_is_known, DROP CONSTRAINT organisation_has_no_tenant;
        UPDATE ${table} SET scope = '';
        ALTER TABLE ${table} ALTER COLUMN tenant_id SET NOT NULL, ADD UNIQUE (${key})`);
  }
}
