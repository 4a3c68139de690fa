import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { given, type Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { path } from '../gateway-client';
import { instant, names } from '../values';
import { showDiff, tellImport, type ImportReport, type PriceDiff } from './rate-changes';

interface RateCard {
  readonly version: number;
  readonly state: string;
  readonly effectiveAt: string;
  readonly currency: string;
  readonly note: string;
  readonly hash: string;
  readonly models: number;
  readonly createdAt: string;
  readonly createdBy: string;
}

interface Price {
  readonly model: string;
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string;
  readonly cacheWrite5m?: string;
  readonly cacheWrite1h?: string;
  readonly reasoning?: string;
}

interface ImportOptions {
  readonly format?: string;
  readonly effectiveAt?: string;
  readonly currency?: string;
  readonly note?: string;
  readonly merge?: true;
  readonly provider?: readonly string[];
  readonly mode?: readonly string[];
  readonly dryRun?: true;
}

export function registerRates(program: Command, cli: Cli): void {
  const rates = program.command('rates').description('rate cards: what a million tokens cost');

  rates
    .command('import <file>')
    .description(
      "import a rate card from YAML, CSV or LiteLLM's price map (JSON); it becomes the next version and never changes",
    )
    .addOption(new Option('--format <name>', 'how to read the file (default: by its name)').choices(FORMATS))
    .option(
      '--effective-at <time>',
      'a day or an instant from which it holds (default: as the file says, else now)',
      instant,
    )
    .option('--currency <code>', 'currency of the prices (default: as the file says, else that of the card before)')
    .option('--note <text>', 'where the prices come from')
    .option('--merge', 'keep the prices of models that the file does not name')
    .option('--provider <names>', "of LiteLLM's map only these providers, separated by commas", names)
    .option('--mode <names>', "of LiteLLM's map only these modes, separated by commas (default: chat)", names)
    .option('--dry-run', 'only show what would change')
    .action(async (file: string, { provider, mode, format, ...options }: ImportOptions) => {
      const text = read(file);
      const report = await cli.gateway.post<ImportReport>('/api/v1/admin/rate-cards/imports', {
        format: format ?? formatOf(file, text),
        text,
        ...given({ ...options, providers: provider, modes: mode }),
      });
      tellImport(cli.out, report);
    });

  rates
    .command('diff <from> <to>')
    .description('what changes between two rate cards, by their versions or "in-force"')
    .action(async (from: string, to: string) => {
      const diff = await cli.gateway.get<PriceDiff>('/api/v1/admin/rate-cards/diff', { from, to });
      showDiff(cli.out, diff, diff);
    });

  rates
    .command('list')
    .description('list rate cards, newest first')
    .action(async () => {
      cli.out.rows(
        await cli.gateway.all<RateCard>('/api/v1/admin/rate-cards'),
        [
          { title: 'version', of: (c) => c.version, right: true },
          { title: 'state', of: (c) => c.state.replace('_', ' ') },
          { title: 'in force from', of: (c) => c.effectiveAt },
          { title: 'currency', of: (c) => c.currency },
          { title: 'models', of: (c) => c.models, right: true },
          { title: 'note', of: (c) => c.note },
        ],
        'There is no rate card yet. Import one: openclawmu rates import prices.yaml',
      );
    });

  rates
    .command('show [version]')
    .description('show a rate card with its prices (default: the one in force)')
    .action(async (version = 'in-force') => {
      const card = await cli.gateway.get<RateCard & { prices: Price[] }>(
        path`/api/v1/admin/rate-cards/${String(version)}`,
      );
      if (!cli.out.json)
        cli.out.facts(card, [
          ['version', card.version],
          ['state', card.state.replace('_', ' ')],
          ['in force from', card.effectiveAt],
          ['imported', `${card.createdAt} by ${card.createdBy}`],
          ['note', card.note],
          ['sha-256', card.hash],
          ['prices', `${card.currency} per million tokens`],
        ]);
      if (cli.out.json) cli.out.data(card);
      else cli.out.rows(card.prices, PRICES, 'It prices nothing.');
    });
}

const PRICES = [
  { title: 'model', of: (p: Price) => p.model },
  { title: 'input', of: (p: Price) => p.input, right: true },
  { title: 'cache read', of: (p: Price) => p.cacheRead, right: true },
  { title: 'write 5m', of: (p: Price) => p.cacheWrite5m, right: true },
  { title: 'write 1h', of: (p: Price) => p.cacheWrite1h, right: true },
  { title: 'output', of: (p: Price) => p.output, right: true },
  { title: 'reasoning', of: (p: Price) => p.reasoning, right: true },
];

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} cannot be read: ${(error as Error).message.split('\n')[0]}`);
  }
}

const FORMATS = ['yaml', 'csv', 'litellm'];

/** A card may be JSON, which reads as YAML; what tells LiteLLM's map apart is a member that each of its entries has. */
function formatOf(file: string, text: string): string {
  if (/\.csv$/i.test(file)) return 'csv';
  return text.includes('"litellm_provider"') ? 'litellm' : 'yaml';
}
