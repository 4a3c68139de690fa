import type { Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';

/** Offline checks of bills, below `billing`. */
export function registerVerify(billing: Command, cli: Cli): void {
  billing
    .command('verify <manifest>')
    .description('recompute a downloaded statement from its files alone and name every altered, missing or added line')
    .action(async (manifest: string) => {
      const verdict = await offline().verifyStatementFiles(manifest);
      const { faults, moreFaults } = verdict;
      cli.out.facts(verdict, [
        ['verdict', verdict.ok ? 'unaltered' : 'ALTERED'],
        ...faults.map(
          ({ kind, line, requestId, message }) =>
            [kind, [line && `line ${line}`, requestId, message].filter((part) => part !== null).join(' ')] as const,
        ),
        ...(moreFaults > 0 ? [['more faults', moreFaults] as const] : []),
        ['lines', verdict.rows],
        ['recomputed', verdict.recomputed],
        ['cost', verdict.cost],
        ['sha-256', verdict.sha256],
      ]);
      if (!verdict.ok)
        throw new CliError(EXIT.checkFailed, `Statement ${verdict.id} is not as it was closed.`, verdict);
    });
}

/** Loaded when needed: it brings the whole billing library, and API commands should start at once. */
const offline = (): typeof import('../verify-statement-files') =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  require('../verify-statement-files') as typeof import('../verify-statement-files');
