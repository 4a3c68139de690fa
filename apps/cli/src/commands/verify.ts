import type { StatementVerdict } from '@app/billing';
import type { Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { money, type Cell } from '../table';

/** Offline checks of bills, below `billing`. */
export function registerVerify(billing: Command, cli: Cli): void {
  billing
    .command('verify <manifest...>')
    .description(
      'recompute downloaded statements from their files alone and name every altered, missing or added line; give those too that have the lines that corrections correct',
    )
    .action(async (manifests: string[]) => {
      const verdicts = await offline().verifyStatementFiles(manifests);
      const told = verdicts.length === 1 ? verdicts[0] : verdicts;
      cli.out.facts(told, verdicts.flatMap(factsOf));
      const faulty = verdicts.filter(({ faults }) => faults.length > 0);
      if (faulty.length > 0) throw new CliError(EXIT.checkFailed, notAsClosed(faulty.map(({ id }) => id)), told);
      const absent = [...new Set(verdicts.flatMap((verdict) => verdict.absent.map(({ id }) => id)))].sort();
      if (absent.length > 0)
        throw new CliError(
          EXIT.checkFailed,
          `Not all corrections could be recomputed. Give the manifest of ${absent.join(', ')} too.`,
          told,
        );
    });
}

function factsOf(verdict: StatementVerdict): (readonly [string, Cell])[] {
  const { faults, moreFaults, absent, unfounded } = verdict;
  return [
    ['statement', verdict.id],
    ['verdict', verdict.ok ? 'unaltered' : faults.length > 0 ? 'ALTERED' : 'INCOMPLETE'],
    ...faults.map(
      ({ kind, line, requestId, message }) =>
        [kind, [line && `line ${line}`, requestId, message].filter((part) => part !== null).join(' ')] as const,
    ),
    ...(moreFaults > 0 ? [['more faults', moreFaults] as const] : []),
    ...absent.map(
      ({ id, period, corrections }) =>
        ['not given', `${id}, the statement of ${period} (corrections that build on it: ${corrections})`] as const,
    ),
    ...(unfounded > 0 ? [['unfounded', `corrections of calls before the first statement: ${unfounded}`] as const] : []),
    ['lines', verdict.rows],
    ['recomputed', verdict.recomputed],
    ['cost', money(verdict.cost, verdict.currency)],
    ['sha-256', verdict.sha256],
  ];
}

const notAsClosed = (ids: readonly string[]): string =>
  ids.length === 1
    ? `Statement ${ids.join()} is not as it was closed.`
    : `Statements ${ids.join(', ')} are not as they were closed.`;

/** Loaded when needed: it brings the whole billing library, and API commands should start at once. */
const offline = (): typeof import('../verify-statement-files') =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  require('../verify-statement-files') as typeof import('../verify-statement-files');
