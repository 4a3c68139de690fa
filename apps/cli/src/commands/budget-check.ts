import type { Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { money } from '../table';

interface Difference {
  readonly tenantId: string | null;
  readonly scope: string;
  readonly target: string | null;
  readonly metric: string;
  readonly currency: string | null;
  readonly period: string;
  readonly startsAt: string;
  readonly spent: string;
  readonly writtenOff: string;
  readonly ledger: string;
  readonly difference: string;
}

interface Check {
  readonly ok: boolean;
  readonly windows: number;
  readonly differences: number;
  readonly items: readonly Difference[];
}

interface Repair {
  readonly windows: number;
  readonly repaired: number;
  readonly items: readonly Difference[];
}

export function registerBudgetCheck(budgets: Command, cli: Cli): void {
  budgets
    .command('check')
    .description('compare what all budgets have counted with the ledger; ends with 7 if they differ')
    .action(async () => {
      const check = await cli.gateway.get<Check>('/api/v1/admin/budgets/check');
      if (check.ok) return cli.out.done(check, agree(check.windows));
      showAll(cli, check.items);
      throw new CliError(
        EXIT.checkFailed,
        `${check.differences} of ${check.windows} windows differ from the ledger. Next: openclawmu budgets repair --reason TEXT`,
      );
    });

  budgets
    .command('repair')
    .description('make what budgets have counted what the ledger has, where it differs')
    .requiredOption('--reason <text>', 'why; stands in the audit log')
    .action(async ({ reason }: { readonly reason: string }) => {
      const repair = await cli.gateway.post<Repair>('/api/v1/admin/budgets/repairs', { reason });
      const { windows, repaired, items } = repair;
      if (repaired > 0 && !cli.out.json) showAll(cli, items);
      cli.out.done(repair, repaired === 0 ? agree(windows) : `${repaired} of ${windows} windows are put right.`);
    });
}

const agree = (windows: number): string =>
  `${windows} ${windows === 1 ? 'window agrees' : 'windows agree'} with the ledger.`;

const showAll = (cli: Cli, items: readonly Difference[]): void =>
  cli.out.rows(
    items,
    [
      { title: 'tenant', of: (each) => each.tenantId },
      { title: 'of', of: ({ scope, target }) => (target === null ? scope : `${scope} ${target}`) },
      { title: 'metric', of: ({ metric, currency }) => money(metric, currency) },
      { title: 'period', of: (each) => each.period },
      { title: 'since', of: (each) => each.startsAt },
      { title: 'spent', of: (each) => each.spent, right: true },
      { title: 'written off', of: (each) => each.writtenOff, right: true },
      { title: 'ledger', of: (each) => each.ledger, right: true },
      { title: 'difference', of: (each) => each.difference, right: true },
    ],
    '',
  );
