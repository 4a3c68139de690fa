import { Option, type Command } from 'commander';
import type { Cli } from '../cli';
import { path } from '../gateway-client';

/** As the API lists them. */
export interface LostProcess {
  readonly id: string;
  readonly host: string;
  readonly startedAt: string;
  readonly journal: string;
  readonly leased: readonly {
    readonly tenantId: string | null;
    readonly metric: string;
    readonly period: string;
    readonly scope: string;
    readonly target: string | null;
    readonly startsAt: string;
    readonly amount: string;
  }[];
}

const budgetOf = ({ metric, period, scope, target }: LostProcess['leased'][number]): string =>
  [metric, period, ...(scope === 'model' || scope === 'token' || scope === 'user' ? [scope, target] : [])].join(' ');

export const LOST = '/api/v1/admin/gateway/lost-processes';

export function registerGateway(program: Command, cli: Cli): void {
  const gateway = program.command('gateway').description('the gateway processes themselves');

  gateway
    .command('lost')
    .description('list processes that are gone with their journal, and what they had leased of budgets')
    .action(async () => {
      const { items } = await cli.gateway.get<{ items: LostProcess[] }>(LOST);
      const rows = items.flatMap(({ leased, ...process }) =>
        (leased.length === 0 ? [null] : leased).map((lease) => ({ ...process, lease })),
      );
      if (cli.out.json) return cli.out.data(items);
      cli.out.rows(
        rows,
        [
          { title: 'process', of: (l) => l.id },
          { title: 'host', of: (l) => l.host },
          { title: 'started', of: (l) => l.startedAt },
          { title: 'journal', of: (l) => l.journal },
          { title: 'tenant', of: ({ lease }) => (lease ? (lease.tenantId ?? 'all') : '') },
          { title: 'budget', of: ({ lease }) => (lease ? budgetOf(lease) : '') },
          { title: 'since', of: ({ lease }) => lease?.startsAt ?? '' },
          { title: 'leased', of: ({ lease }) => lease?.amount ?? 'nothing', right: true },
        ],
        'No gateway process is lost.',
      );
    });

  gateway
    .command('resolve <process>')
    .description('decide what becomes of what a lost process had leased')
    .addOption(
      new Option('--as <decision>', 'spent: counts as used for good; released: certainly not used, so it goes back')
        .choices(['spent', 'released'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'why; stands in the audit log')
    .action(async (id: string, options: { readonly as: string; readonly reason: string }) => {
      const decision = { how: options.as, reason: options.reason };
      const resolved = await cli.gateway.post<LostProcess>(
        path`/api/v1/admin/gateway/lost-processes/${id}/resolve`,
        decision,
      );
      const tenants = new Set(resolved.leased.flatMap(({ tenantId }) => tenantId ?? [])).size;
      const what = options.as === 'spent' ? 'counts as spent' : 'can be used again';
      const had = `What ${id} had leased of ${tenants} tenant${tenants === 1 ? '' : 's'} ${what}.`;
      cli.out.done(resolved, resolved.leased.length > 0 ? had : `${id} had leased nothing, and is no longer listed.`);
    });
}
