import type { Command } from 'commander';
import type { Cli } from '../cli';
import { path } from '../gateway-client';
import { amount, wholeNumber } from '../values';

interface Budget {
  readonly metric: string;
  readonly period: string;
  readonly limit: string | null;
  readonly topUp: string;
  readonly spent: string;
  readonly held: string;
  readonly resetsAt: string;
}

/** Options of a command that concerns one budget or several. */
const BUDGETS = [
  { option: 'monthly', metric: 'cost', period: 'month' },
  { option: 'daily', metric: 'cost', period: 'day' },
  { option: 'monthlyTokens', metric: 'tokens', period: 'month' },
  { option: 'dailyTokens', metric: 'tokens', period: 'day' },
] as const;

type Options<Value> = { readonly [Name in (typeof BUDGETS)[number]['option']]?: Value };

export function registerBudgets(program: Command, cli: Cli): void {
  const budgets = program
    .command('budgets')
    .description('hard limits on what a tenant may spend, in money or in tokens');

  budgets
    .command('set <tenant>')
    .description("set limits, in the rate card's currency or in tokens; what was used stays used")
    .option('--monthly <amount>', 'most it may spend in a calendar month, such as 250 or 12.50', amount)
    .option('--daily <amount>', 'most it may spend in a calendar day', amount)
    .option('--monthly-tokens <number>', 'most tokens it may use in a calendar month, of all classes', wholeNumber)
    .option('--daily-tokens <number>', 'most tokens it may use in a calendar day', wholeNumber)
    .action(async (tenant: string, options: Options<string>, command: Command) => {
      const set: Budget[] = [];
      for (const { option, metric, period } of chosen(options, command)) {
        const limit = { metric, period, limit: options[option] };
        set.push(await cli.gateway.put<Budget>(path`/api/v1/admin/tenants/${tenant}/budgets`, limit));
      }
      const sentences = set.map(({ metric, period, limit, spent }) =>
        metric === 'tokens'
          ? `${tenant} may use ${limit} tokens a ${period}; ${spent} are used so far.`
          : `${tenant} may spend ${limit} a ${period}; ${spent} is spent so far.`,
      );
      cli.out.done(set, sentences.join('\n'));
    });

  budgets
    .command('top-up <tenant>')
    .description('add to limits for the period under way, and for no other')
    .option('--monthly <amount>', 'what it may spend beyond the limit of this month', amount)
    .option('--daily <amount>', 'what it may spend beyond the limit of today', amount)
    .option('--monthly-tokens <number>', 'tokens it may use beyond the limit of this month', wholeNumber)
    .option('--daily-tokens <number>', 'tokens it may use beyond the limit of today', wholeNumber)
    .requiredOption('--reason <text>', 'why; stands in the audit log')
    .action(async (tenant: string, options: Options<string> & { readonly reason: string }, command: Command) => {
      const topped: Budget[] = [];
      for (const { option, metric, period } of chosen(options, command)) {
        const topUp = { metric, period, amount: options[option], reason: options.reason };
        topped.push(await cli.gateway.post<Budget>(path`/api/v1/admin/tenants/${tenant}/budgets/top-ups`, topUp));
      }
      const sentences = topped.map(({ metric, period, limit, topUp, resetsAt }) => {
        const unit = metric === 'tokens' ? ' tokens' : '';
        return `Until ${resetsAt} ${tenant} has ${topUp}${unit} beyond its limit of ${limit} a ${period}.`;
      });
      cli.out.done(topped, sentences.join('\n'));
    });

  budgets
    .command('show <tenant>')
    .description('show limits and what is used of them')
    .action(async (tenant: string) => {
      const { items } = await cli.gateway.get<{ items: Budget[] }>(path`/api/v1/admin/tenants/${tenant}/budgets`);
      cli.out.rows(
        items,
        [
          { title: 'metric', of: (b) => b.metric },
          { title: 'period', of: (b) => b.period },
          { title: 'limit', of: (b) => b.limit ?? 'none', right: true },
          { title: 'top-up', of: (b) => b.topUp, right: true },
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
    .option('--monthly-tokens', 'the limit of tokens of the month')
    .option('--daily-tokens', 'the limit of tokens of the day')
    .action(async (tenant: string, options: Options<true>, command: Command) => {
      const lifted = chosen(options, command).map(({ metric, period }) => ({ metric, period }));
      for (const key of lifted) await cli.gateway.delete(path`/api/v1/admin/tenants/${tenant}/budgets`, key);
      const sentences = lifted.map(({ metric, period }) =>
        metric === 'tokens'
          ? `${tenant} may use any number of tokens in a ${period}.`
          : `${tenant} may spend without limit in a ${period}.`,
      );
      cli.out.done(lifted, sentences.join('\n'));
    });
}

function chosen(options: Options<unknown>, command: Command): readonly (typeof BUDGETS)[number][] {
  const budgets = BUDGETS.filter(({ option }) => options[option] !== undefined);
  if (budgets.length === 0)
    command.error('error: say one or more of --monthly, --daily, --monthly-tokens, --daily-tokens');
  return budgets;
}
