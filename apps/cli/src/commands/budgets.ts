import type { Command } from 'commander';
import type { Cli } from '../cli';
import { path } from '../gateway-client';
import { amount } from '../values';

interface Budget {
  readonly metric: string;
  readonly period: string;
  readonly limit: string | null;
  readonly spent: string;
  readonly held: string;
  readonly resetsAt: string;
}

interface SetOptions {
  readonly monthly?: string;
  readonly daily?: string;
}

interface RemoveOptions {
  readonly monthly?: true;
  readonly daily?: true;
}

/** Options of a command that concerns one period or both. */
const PERIODS = [
  { option: 'monthly', period: 'month' },
  { option: 'daily', period: 'day' },
] as const;

export function registerBudgets(program: Command, cli: Cli): void {
  const budgets = program.command('budgets').description('hard limits on what a tenant may spend');

  budgets
    .command('set <tenant>')
    .description("set limits, in the rate card's currency; what was used stays used")
    .option('--monthly <amount>', 'most it may spend in a calendar month, such as 250 or 12.50', amount)
    .option('--daily <amount>', 'most it may spend in a calendar day', amount)
    .action(async (tenant: string, options: SetOptions, command: Command) => {
      const set: Budget[] = [];
      for (const { option, period } of chosen(options, command)) {
        const limit = { metric: 'cost', period, limit: options[option] };
        set.push(await cli.gateway.put<Budget>(path`/api/v1/admin/tenants/${tenant}/budgets`, limit));
      }
      const sentences = set.map((b) => `${tenant} may spend ${b.limit} a ${b.period}; ${b.spent} is spent so far.`);
      cli.out.done(set, sentences.join('\n'));
    });

  budgets
    .command('show <tenant>')
    .description('show limits and what is used of them')
    .action(async (tenant: string) => {
      const { items } = await cli.gateway.get<{ items: Budget[] }>(path`/api/v1/admin/tenants/${tenant}/budgets`);
      cli.out.rows(
        items,
        [
          { title: 'period', of: (b) => b.period },
          { title: 'limit', of: (b) => b.limit ?? 'none', right: true },
          { title: 'spent', of: (b) => b.spent, right: true },
          { title: 'held', of: (b) => b.held, right: true },
          { title: 'resets', of: (b) => b.resetsAt },
        ],
        'There is no budget.',
      );
    });

  budgets
    .command('remove <tenant>')
    .description('lift limits; what is spent is still counted')
    .option('--monthly', 'the limit of the month')
    .option('--daily', 'the limit of the day')
    .action(async (tenant: string, options: RemoveOptions, command: Command) => {
      const lifted = chosen(options, command).map(({ period }) => ({ metric: 'cost', period }));
      for (const key of lifted) await cli.gateway.delete(path`/api/v1/admin/tenants/${tenant}/budgets`, key);
      const sentences = lifted.map(({ period }) => `${tenant} may spend without limit in a ${period}.`);
      cli.out.done(lifted, sentences.join('\n'));
    });
}

function chosen(options: SetOptions | RemoveOptions, command: Command): readonly (typeof PERIODS)[number][] {
  const periods = PERIODS.filter(({ option }) => options[option] !== undefined);
  if (periods.length === 0) command.error('error: say --monthly, --daily or both');
  return periods;
}
