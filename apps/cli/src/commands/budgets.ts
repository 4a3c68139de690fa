import type { Command } from 'commander';
import { given, type Cli } from '../cli';
import { path } from '../gateway-client';
import { money } from '../table';
import { amount, percents, signed, wholeNumber } from '../values';
import { registerBudgetCheck } from './budget-check';

interface Budget {
  readonly scope: string;
  readonly target: string | null;
  readonly targets: number | null;
  readonly targetsUsedUp: number | null;
  readonly metric: string;
  readonly currency: string | null;
  readonly period: string;
  readonly limit: string | null;
  readonly topUp: string;
  readonly spent: string;
  readonly writtenOff: string;
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

type Chosen = (typeof BUDGETS)[number];

type Options<Value> = { readonly [Name in (typeof BUDGETS)[number]['option']]?: Value };

/** Whose budget is meant. */
interface Whose {
  readonly organisation?: true;
  readonly model?: string;
  readonly token?: string;
  readonly user?: string;
}

const PARTS = ['model', 'token', 'user'] as const;

type SetOptions = Options<string> & Whose & { readonly thresholds?: readonly number[] };

export function registerBudgets(program: Command, cli: Cli): void {
  const budgets = program.command('budgets').description('hard limits on what may be spent, in money or in tokens');

  whose(budgets.command('set [tenant]'))
    .description("set limits, in the rate card's currency or in tokens; what was used stays used")
    .option('--monthly <amount>', 'most it may spend in a calendar month, such as 250 or 12.50', amount)
    .option('--daily <amount>', 'most it may spend in a calendar day', amount)
    .option('--monthly-tokens <number>', 'most tokens it may use in a calendar month, of all classes', wholeNumber)
    .option('--daily-tokens <number>', 'most tokens it may use in a calendar day', wholeNumber)
    .option(
      '--thresholds <percents>',
      'when receivers of webhooks are told, such as 50,80,100 (as it is at first)',
      percents,
    )
    .action(async (tenant: string | undefined, options: SetOptions, command: Command) => {
      const { route, part, name } = subjectOf(tenant, options, command);
      const put = ({ option, metric, period }: Chosen): Promise<Budget> => {
        const limit = given({ limit: options[option], thresholds: options.thresholds });
        return cli.gateway.put<Budget>(route, { ...part, metric, period, ...limit });
      };
      const sentence = (budget: Budget): string => {
        const { metric, period, limit, spent, target, targets } = budget;
        const may = `${capital(name)} may ${metric === 'tokens' ? 'use' : 'spend'} ${amountOf(budget, limit)} a ${period}`;
        // What all of them together have used says nothing of a limit that each has for itself.
        if (targets !== null) return `${may}.`;
        const since = options.token === undefined || options.token === target ? '' : `, counted from ${target} on`;
        return metric === 'tokens'
          ? `${may}; ${spent} are used so far${since}.`
          : `${may}; ${amountOf(budget, spent)} is spent so far${since}.`;
      };
      await oneByOne(cli, chosen(options, command), put, sentence);
    });

  whose(budgets.command('top-up [tenant]'))
    .description('add to limits for the period under way, and for no other; with a minus, take back what was added')
    .option('--monthly <amount>', 'what it may spend beyond the limit of this month', signed(amount))
    .option('--daily <amount>', 'what it may spend beyond the limit of today', signed(amount))
    .option('--monthly-tokens <number>', 'tokens it may use beyond the limit of this month', signed(wholeNumber))
    .option('--daily-tokens <number>', 'tokens it may use beyond the limit of today', signed(wholeNumber))
    .requiredOption('--reason <text>', 'why; stands in the audit log')
    .action(async (tenant: string | undefined, options: TopUpOptions, command: Command) => {
      const { route, part, name } = subjectOf(tenant, options, command);
      const { reason } = options;
      const post = ({ option, metric, period }: Chosen): Promise<Budget> =>
        cli.gateway.post<Budget>(`${route}/top-ups`, { ...part, metric, period, amount: options[option], reason });
      await oneByOne(cli, chosen(options, command), post, (budget) => {
        const { period, limit, topUp, resetsAt } = budget;
        const [added, before] = [amountOf(budget, topUp), amountOf(budget, limit)];
        return `Until ${resetsAt} ${name} has ${added} beyond its limit of ${before} a ${period}.`;
      });
    });

  whose(budgets.command('show [tenant]'))
    .description('show limits and what is used of them')
    .action(async (tenant: string | undefined, options: Whose, command: Command) => {
      const { route, part } = subjectOf(tenant, options, command);
      const items = await cli.gateway.all<Budget>(route, part);
      cli.out.rows(
        items,
        [
          { title: 'of', of: (b) => partOf(b) },
          { title: 'metric', of: (b) => money(b.metric, b.currency) },
          { title: 'period', of: (b) => b.period },
          { title: 'limit', of: (b) => b.limit ?? 'none', right: true },
          { title: 'top-up', of: (b) => b.topUp, right: true },
          { title: 'spent', of: (b) => b.spent, right: true },
          // Machines are rarely lost.
          ...(items.some(isWrittenOff) ? [{ title: 'written off', of: (b: Budget) => b.writtenOff, right: true }] : []),
          { title: 'held', of: (b) => b.held, right: true },
          { title: 'resets', of: (b) => b.resetsAt },
        ],
        'There is no budget.',
      );
    });

  whose(budgets.command('remove [tenant]'))
    .description('lift limits; what is spent is still counted')
    .option('--monthly', 'the limit of the month')
    .option('--daily', 'the limit of the day')
    .option('--monthly-tokens', 'the limit of tokens of the month')
    .option('--daily-tokens', 'the limit of tokens of the day')
    .action(async (tenant: string | undefined, options: Options<true> & Whose, command: Command) => {
      const { route, part, name } = subjectOf(tenant, options, command);
      const lift = async ({ metric, period }: Chosen) => {
        const lifted = { ...part, metric, period };
        await cli.gateway.delete(route, lifted);
        return lifted;
      };
      await oneByOne(cli, chosen(options, command), lift, ({ metric, period }) =>
        metric === 'tokens'
          ? `${capital(name)} may use any number of tokens in a ${period}.`
          : `${capital(name)} may spend without limit in a ${period}.`,
      );
    });

  registerBudgetCheck(budgets, cli);
}

/** What was done is told also where the rest fails: who takes the whole command for failed, and repeats it, tops up a second time. */
async function oneByOne<Done>(
  cli: Cli,
  all: readonly Chosen[],
  change: (one: Chosen) => Promise<Done>,
  sentence: (done: Done) => string,
): Promise<void> {
  const done: Done[] = [];
  try {
    for (const one of all) done.push(await change(one));
  } finally {
    if (done.length > 0) cli.out.done(done, done.map(sentence).join('\n'));
  }
}

type TopUpOptions = Options<string> & Whose & { readonly reason: string };

const whose = (command: Command): Command =>
  command
    .option('--organisation', 'all tenants together')
    .option('--model <name>', "only calls of a model, or of all whose names begin so: 'claude-*'")
    .option('--token <id>', "only calls with a token, and with what it is rotated into; '*' for each token by itself")
    .option('--user <name>', "only calls for an end user; '*' for each end user by itself");

/** Where the budgets meant are, which of them it is, and what to call whose they are. */
function subjectOf(tenant: string | undefined, options: Whose, command: Command) {
  const parts = PARTS.filter((part) => options[part] !== undefined);
  const [scope] = parts;
  if (parts.length > 1) command.error('error: say one of --model, --token and --user');
  if (options.organisation) {
    if (tenant !== undefined || scope) command.error('error: --organisation is all tenants, whatever they call');
    return { route: '/api/v1/admin/budgets', part: {}, name: 'the organisation' };
  }
  if (tenant === undefined) command.error('error: name a tenant, or say --organisation');
  const route = path`/api/v1/admin/tenants/${tenant}/budgets`;
  if (!scope) return { route, part: {}, name: tenant };
  const target = options[scope];
  const which = target === '*' && scope !== 'model' ? `each ${scope}` : `the ${scope} ${target}`;
  return { route, part: { scope, target }, name: `${which} of ${tenant}` };
}

/** At the beginning of a sentence; a tenant's id stays as it is. */
const capital = (name: string): string =>
  name.replace(/^(the|each) /, (word) => word[0]?.toUpperCase() + word.slice(1));

/** Where each has the limit for itself, how many there are and how many of them have used it up. */
const partOf = ({ scope, target, targets, targetsUsedUp }: Budget): string =>
  targets === null
    ? `${scope}${target === null ? '' : ` ${target}`}`
    : `each ${scope} (${targets} so far, ${targetsUsedUp} used up)`;

const amountOf = ({ metric, currency }: Budget, amount: string | null): string =>
  metric === 'tokens' ? `${amount} tokens` : money(String(amount), currency);

const isWrittenOff = ({ writtenOff }: Budget): boolean => /[1-9]/.test(writtenOff);

function chosen(options: Options<unknown>, command: Command): readonly Chosen[] {
  const budgets = BUDGETS.filter(({ option }) => options[option] !== undefined);
  if (budgets.length === 0)
    command.error('error: say one or more of --monthly, --daily, --monthly-tokens, --daily-tokens');
  return budgets;
}
