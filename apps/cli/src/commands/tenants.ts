import type { Command } from 'commander';
import { given, type Cli } from '../cli';
import { path } from '../gateway-client';
import { allowedModels, models, seconds, type ModelNames } from '../values';

interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly costCenter: string | null;
  readonly allowedModels: readonly string[] | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly promptLog: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly deletedAt: string | null;
}

interface TenantOptions {
  readonly name?: string;
  readonly costCenter?: string;
  readonly models?: ModelNames;
  readonly budgetContact?: string;
  readonly clampOutput?: boolean;
  readonly promptLog?: boolean;
  /** False: no longer. */
  readonly cache?: number | false;
}

export function registerTenants(program: Command, cli: Cli): void {
  const tenants = program.command('tenants').description('departments: each with its own tokens, budget and bill');

  withSettings(tenants.command('create <id>').description('create a tenant')).action(
    async (id: string, options: TenantOptions) => {
      const tenant = await cli.gateway.post<Tenant>('/api/v1/admin/tenants', { id, ...bodyOf(options) });
      cli.out.done(
        tenant,
        `Tenant ${id} is created, and may spend without limit. Next: openclawmu budgets set ${id} --monthly 250, and openclawmu tokens create ${id}`,
      );
    },
  );

  tenants
    .command('list')
    .description('list tenants')
    .option('--status <status>', 'active, suspended or deleted (default: active and suspended)')
    .action(async ({ status }: { status?: string }) => {
      const all = await cli.gateway.all<Tenant>('/api/v1/admin/tenants', { status });
      cli.out.rows(
        all,
        [
          { title: 'tenant', of: (t) => t.id },
          { title: 'name', of: (t) => t.name },
          { title: 'status', of: (t) => t.status },
          { title: 'cost centre', of: (t) => t.costCenter },
          { title: 'models', of: (t) => modelsText(t.allowedModels) },
          { title: 'created', of: (t) => t.createdAt.slice(0, 10) },
        ],
        'There is no such tenant. Create one: openclawmu tenants create finance',
      );
    });

  tenants
    .command('show <id>')
    .description('show a tenant')
    .action(async (id: string) => show(cli, await cli.gateway.get<Tenant>(path`/api/v1/admin/tenants/${id}`)));

  withSettings(tenants.command('change <id>').description('change what is given and leave the rest')).action(
    async (id: string, options: TenantOptions) =>
      show(cli, await cli.gateway.patch<Tenant>(path`/api/v1/admin/tenants/${id}`, bodyOf(options))),
  );

  tenants
    .command('suspend <id>')
    .description('refuse its tokens and cut its streams, until it is resumed')
    .action(async (id: string) => {
      const tenant = await cli.gateway.post<Tenant>(path`/api/v1/admin/tenants/${id}/suspend`);
      cli.out.done(tenant, `Tenant ${id} is suspended. Its tokens work again after: openclawmu tenants resume ${id}`);
    });

  tenants
    .command('resume <id>')
    .description('let a suspended tenant work again')
    .action(async (id: string) => {
      const tenant = await cli.gateway.post<Tenant>(path`/api/v1/admin/tenants/${id}/resume`);
      cli.out.done(tenant, `Tenant ${id} is active.`);
    });

  tenants
    .command('delete <id>')
    .description('revoke its tokens for good; its bills and audit records remain')
    .requiredOption('--confirm <id>', 'the id again, because this cannot be undone')
    .action(async (id: string, { confirm }: { confirm: string }, command: Command) => {
      if (confirm !== id) command.error(`error: --confirm "${confirm}" is not "${id}"`);
      const tenant = await cli.gateway.delete<Tenant>(path`/api/v1/admin/tenants/${id}`);
      cli.out.done(tenant, `Tenant ${id} is deleted. Its id is never given again.`);
    });
}

const withSettings = (command: Command): Command =>
  command
    .option('--name <name>', "the department's name")
    .option('--cost-center <code>', 'where the bill goes')
    .option('--models <names>', 'models it may use, comma-separated, "claude-*" for a beginning, "all" for all', models)
    .option('--budget-contact <who>', 'whom to ask when the budget is used up')
    .option('--clamp-output', 'shorten answers to what the budget covers, rather than refuse')
    .option('--no-clamp-output', 'refuse what the budget does not cover')
    .option('--cache <time>', 'answer what was asked before with the answer of then, for so long: 30m, 24h', seconds)
    .option('--no-cache', 'ask the provider each time')
    .option(
      '--prompt-log',
      'keep its requests and answers, where the gateway has a prompt log; the department sees that',
    )
    .option('--no-prompt-log', 'keep no more of them; what is kept stays until its time is over');

function bodyOf({
  name,
  costCenter,
  models: names,
  budgetContact,
  clampOutput,
  promptLog,
  cache,
}: TenantOptions): object {
  const settings = given({ budgetContact, clampOutput, cacheSeconds: cache === false ? null : cache });
  return given({
    name,
    costCenter,
    allowedModels: allowedModels(names),
    promptLog,
    settings: Object.keys(settings).length === 0 ? undefined : settings,
  });
}

const modelsText = (names: readonly string[] | null): string => names?.join(', ') ?? 'all';

function show(cli: Cli, tenant: Tenant): void {
  cli.out.facts(tenant, [
    ['tenant', tenant.id],
    ['name', tenant.name],
    ['status', tenant.status],
    ['cost centre', tenant.costCenter],
    ['models', modelsText(tenant.allowedModels)],
    ['prompt log', tenant.promptLog ? 'yes' : 'no'],
    ...Object.entries(tenant.settings).map(([name, value]) => [name, String(value)] as const),
    ['created', tenant.createdAt],
    ['changed', tenant.updatedAt],
    ...(tenant.deletedAt === null ? [] : [['deleted', tenant.deletedAt] as const]),
  ]);
}
