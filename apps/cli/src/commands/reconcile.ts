import { writeFile } from 'node:fs/promises';
import { InvalidArgumentError, type Command } from 'commander';
import type { Cli } from '../cli';
import { writeCorrections } from '../correction-file';
import { CliError, EXIT } from '../exit-code';

interface Options {
  readonly provider?: string;
  readonly model?: ReadonlyMap<string, string>;
  readonly all?: true;
  readonly propose?: string;
  readonly reason: string;
}

/** The comparison with a provider's own count, below `billing`. */
export function registerReconcile(billing: Command, cli: Cli): void {
  billing
    .command('reconcile <export> <bill...>')
    .description(
      "compare a usage export of OpenAI or Anthropic (CSV) with bills (layout detail, or statements'), by day",
    )
    .option('--provider <name>', "the provider's name in the configuration (default: openai or anthropic)")
    .option('--model <theirs=ours>', 'a model that callers know by another name; may be repeated', modelNames)
    .option('--all', 'also days and models without drift')
    .option('--propose <file>', 'the export has a line for each request: write corrections of those that differ')
    .option('--reason <text>', 'why they are to be corrected', "As in the provider's usage export")
    .action(async (usageExport: string, bills: string[], { provider, model: models, all, ...options }: Options) => {
      if (options.propose !== undefined)
        return propose(cli, usageExport, bills, { file: options.propose, reason: options.reason });
      const { days: compared, strayCorrections } = await offline().reconcileFiles(usageExport, bills, {
        provider,
        models,
      });
      if (strayCorrections > 0)
        cli.out.remark(
          `Corrections left out, because none of these bills has the calls they correct: ${strayCorrections}. Give the earlier bills, too.`,
        );
      const drifting = compared.filter(({ isDrifting }) => isDrifting);
      cli.out.rows(
        all ? compared : drifting,
        [
          { title: 'day', of: (r) => r.day },
          { title: 'model', of: (r) => r.model },
          { title: 'requests', of: (r) => r.ourRequests, right: true },
          { title: 'theirs', of: (r) => r.theirRequests, right: true },
          { title: 'uncertain', of: (r) => r.uncertain, right: true },
          { title: 'input', of: (r) => r.drift.input, right: true },
          { title: 'cache read', of: (r) => r.drift.cacheRead, right: true },
          { title: 'cache write', of: (r) => r.drift.cacheWrite, right: true },
          { title: 'output', of: (r) => r.drift.output, right: true },
        ],
        `No drift: ${compared.length} days and models compared.`,
      );
      if (drifting.length > 0)
        throw new CliError(
          EXIT.checkFailed,
          `${drifting.length} of ${compared.length} days and models drift.`,
          compared,
        );
    });
}

async function propose(
  cli: Cli,
  usageExport: string,
  bills: readonly string[],
  { file, reason }: { readonly file: string; readonly reason: string },
): Promise<void> {
  const { proposals, unbilled } = await offline().proposeFromFiles(usageExport, bills);
  const corrections = proposals.map(({ requestId, tokens }) => ({ requestId, tokens, reason }));
  try {
    await writeFile(file, writeCorrections(corrections));
  } catch (error) {
    throw new CliError(EXIT.failed, `${file} cannot be written: ${(error as Error).message}`);
  }
  if (unbilled.length > 0)
    cli.out.remark(
      `Requests of the export that none of these bills has: ${unbilled.length} (${shortened(unbilled)}). Give the bills of their days, too; else somebody used the provider's key past the gateway.`,
    );
  cli.out.done(
    corrections,
    `${corrections.length} corrections are proposed in ${file}. Look at them, then: openclawmu ledger correct --file ${file}`,
  );
}

const MOST_NAMED = 10;
const shortened = (ids: readonly string[]): string =>
  ids.slice(0, MOST_NAMED).join(', ') + (ids.length > MOST_NAMED ? ', …' : '');

function modelNames(text: string, before: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const [theirs, ours, ...rest] = text.split('=');
  if (!theirs || !ours || rest.length > 0) throw new InvalidArgumentError('Give two names, such as gpt-5.1=gpt-5.');
  return new Map([...before, [theirs, ours]]);
}

/** Loaded when needed: it brings the whole billing library, and API commands should start at once. */
const offline = (): typeof import('../reconcile-files') =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  require('../reconcile-files') as typeof import('../reconcile-files');
