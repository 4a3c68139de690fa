import { Option, type Command } from 'commander';
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

interface BudgetOptions {
  readonly period: string;
  readonly limit: string;
}

const period = (): Option =>
  new Option('--period <period>', 'calendar day or month').choices(['day', 'month']).default('month');

export function registerBudgets(program: Command, cli: Cli): void {
  const budgets = program.command('budgets').description('hard limits on what a tenant may spend');

  budgets
    .command('set <tenant>')
    .description('set a limit; what was used stays used')
    .requiredOption('--limit <amount>', "in the rate card's currency, such as 250 or 12.50", amount)
    .addOption(period())
    .action(async (tenant: string, { limit, period }: BudgetOptions) => {
      const budget = await cli.gateway.put<Budget>(path`/api/v1/admin/tenants/${tenant}/budgets`, {
        metric: 'cost',
        period,
        limit,
      });
      cli.out.done(budget, `${tenant} may spend ${budget.limit} a ${period}; ${budget.spent} is spent so far.`);
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
    .description('lift a limit; what is spent is still counted')
    .addOption(period().makeOptionMandatory())
    .action(async (tenant: string, { period }: BudgetOptions) => {
      await cli.gateway.delete(`${path`/api/v1/admin/tenants/${tenant}/budgets`}?metric=cost&period=${period}`);
      cli.out.done(
        { tenant, metric: 'cost', period, limit: null },
        `${tenant} may spend without limit in a ${period}.`,
      );
    });
}
