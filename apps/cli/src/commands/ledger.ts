import type { Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { path } from '../gateway-client';
import { month } from '../values';
import { registerLedgerRows } from './ledger-rows';

interface LedgerMonth {
  readonly month: string;
  readonly rows: number;
  readonly bytes: number;
  readonly state: string;
  readonly because: string | null;
  readonly archivedTables: readonly string[];
}

interface Check {
  readonly month: string;
  readonly ok: boolean;
  readonly differences: number;
  readonly examples: readonly {
    readonly from: string;
    readonly lasts: string;
    readonly tenant: string;
    readonly tokenId: string;
    readonly model: string;
    readonly requests: number | null;
    readonly ledgerRequests: number | null;
    readonly cost: string | null;
    readonly ledgerCost: string | null;
  }[];
}

export function registerLedger(program: Command, cli: Cli): void {
  const ledger = program
    .command('ledger')
    .description('the months of the ledger, and rows that are not sure, with their correction');
  registerLedgerRows(ledger, cli);
  const change = (name: string, of: string): Promise<LedgerMonth> =>
    cli.gateway.post<LedgerMonth>(path`/api/v1/admin/ledger/months/${of}/` + name, {});

  ledger
    .command('months')
    .description('list the months of the ledger (UTC), newest first, and what each waits for')
    .action(async () => {
      const { items } = await cli.gateway.get<{ items: LedgerMonth[] }>('/api/v1/admin/ledger/months');
      cli.out.rows(
        items,
        [
          { title: 'month', of: (m) => m.month },
          { title: 'rows', of: (m) => m.rows, right: true },
          { title: 'mb', of: (m) => (m.bytes / 1_000_000).toFixed(1), right: true },
          { title: 'state', of: (m) => m.state },
          { title: 'because', of: (m) => m.because ?? '-' },
        ],
        'The ledger has no months.',
      );
    });

  ledger
    .command('check')
    .argument('<month>', 'such as 2026-10', month)
    .description('compare the sums that reports read with the rows of a month; ends with 7 if they differ')
    .action(async (of: string) => {
      const check = await cli.gateway.get<Check>(path`/api/v1/admin/ledger/months/${of}/check`);
      if (check.ok) return cli.out.done(check, `The roll-up of ${of} is what its rows add up to.`);
      cli.out.rows(
        check.examples,
        [
          { title: 'from', of: (line) => line.from },
          { title: 'lasts', of: (line) => line.lasts },
          { title: 'tenant', of: (line) => line.tenant },
          { title: 'token', of: (line) => line.tokenId },
          { title: 'model', of: (line) => line.model },
          { title: 'requests', of: (line) => line.requests ?? 'none', right: true },
          { title: 'in rows', of: (line) => line.ledgerRequests ?? 'none', right: true },
          { title: 'cost', of: (line) => line.cost ?? 'none', right: true },
          { title: 'in rows', of: (line) => line.ledgerCost ?? 'none', right: true },
        ],
        '',
      );
      throw new CliError(
        EXIT.checkFailed,
        `${check.differences} lines of the roll-up of ${of} differ. Next: openclawmu ledger rebuild ${of}`,
      );
    });

  ledger
    .command('rebuild')
    .argument('<month>', 'such as 2026-10', month)
    .description('sum a month up again from its rows')
    .action(async (of: string) => cli.out.done(await change('rebuild', of), `${of} is summed up again.`));

  ledger
    .command('detach')
    .argument('<month>', 'such as 2025-01', month)
    .description('take a detachable month out of the ledger; its rows stay in a table of their own')
    .action(async (of: string) => {
      const detached = await change('detach', of);
      cli.out.done(detached, `${of} is out of the ledger: openclawmu_archive.${detached.archivedTables.at(-1)}`);
    });

  ledger
    .command('attach')
    .argument('<month>', 'such as 2025-01', month)
    .description('bring a month back into the ledger')
    .action(async (of: string) => cli.out.done(await change('attach', of), `${of} is in the ledger again.`));
}
