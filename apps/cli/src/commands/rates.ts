import { InvalidArgumentError, Option, type Command } from 'commander';
import { given, type Cli } from '../cli';
import { CliError } from '../exit-code';
import { path } from '../gateway-client';
import type { Column } from '../table';
import { readText } from '../text-file';
import { instant, names } from '../values';
import { toYaml } from '../yaml';
import { registerCardCorrections, tellCorrections } from './card-corrections';
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

interface Classes {
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string;
  readonly cacheWrite5m?: string;
  readonly cacheWrite1h?: string;
  readonly reasoning?: string;
  readonly audioInput?: string;
  readonly audioOutput?: string;
}

interface Tier extends Classes {
  readonly longContext?: Classes & { readonly aboveTokens: number };
}

interface Price extends Tier {
  readonly model: string;
  readonly tiers?: Readonly<Record<string, Tier>>;
  readonly fees?: { readonly request?: string; readonly webSearch?: string };
}

interface RateCardDetail extends RateCard {
  readonly exchange?: Exchange;
  readonly markups?: readonly Markup[];
  readonly prices: readonly Price[];
}

interface Exchange {
  readonly from: string;
  readonly rate: string;
}

interface Markup {
  readonly tenant: string;
  readonly percent: string;
}

interface ImportOptions {
  readonly format?: string;
  readonly effectiveAt?: string;
  readonly currency?: string;
  readonly note?: string;
  readonly exchange?: Exchange;
  readonly markup?: readonly Markup[];
  readonly merge?: true;
  readonly provider?: readonly string[];
  readonly mode?: readonly string[];
  readonly correction?: true;
  readonly reason?: string;
  readonly dryRun?: true;
}

export function registerRates(program: Command, cli: Cli): void {
  const rates = program.command('rates').description('rate cards: what a million tokens cost');
  registerCardCorrections(rates, cli);

  rates
    .command('import <file>')
    .description(
      "import a rate card from YAML, CSV or LiteLLM's price map (JSON); it becomes the next version and never changes",
    )
    .addOption(new Option('--format <name>', 'how to read the file (default: by its name)').choices(FORMATS))
    .option(
      '--effective-at <time>',
      'the instant, or day of UTC, from which it holds (default: as the file says, else now)',
      instant,
    )
    .option('--currency <code>', 'currency of the bills (default: as the file says, else that of the card before)')
    .option('--exchange <from:rate>', 'the prices are in another currency, as in USD:0.9213', exchange)
    .option(
      '--markup <tenant:percent>',
      'more or less than the list price, as in finance:-10; again for others',
      markup,
    )
    .option('--note <text>', 'where the prices come from')
    .option('--merge', 'keep the prices of models that the file does not name')
    .option('--provider <names>', "of LiteLLM's map only these providers, separated by commas", names)
    .option(
      '--mode <names>',
      "of LiteLLM's map only these modes, separated by commas (default: chat,embedding,responses)",
      names,
    )
    .option('--correction', 'take effect in the past, and correct the calls since then by the difference')
    .option('--reason <text>', 'why, for a correction; stands in the ledger, in bills and in the audit log')
    .option('--dry-run', 'only show what would change')
    .action(async (file: string, { provider, mode, format, markup: markups, ...options }: ImportOptions) => {
      const text = readText(file);
      const body = {
        format: format ?? formatOf(file, text),
        text,
        ...given({ ...options, markups, providers: provider, modes: mode }),
      };
      const report = await cli.gateway.post<ImportReport>('/api/v1/admin/rate-cards/imports', body).catch(ofFile(file));
      tellImport(cli.out, report);
      if (report.corrections) tellCorrections(cli.out, report.corrections);
      else if (options.correction && report.version !== null)
        cli.out.remark(`Its corrections are being booked: openclawmu rates corrections ${report.version}`);
    });

  rates
    .command('diff <from> <to>')
    .description(
      'what changes between two rate cards, by their versions or "in-force"; prices are for a million tokens',
    )
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
      const card = await cli.gateway.get<RateCardDetail>(path`/api/v1/admin/rate-cards/${String(version)}`);
      if (!cli.out.json)
        cli.out.facts(card, [
          ['version', card.version],
          ['state', card.state.replace('_', ' ')],
          ['in force from', card.effectiveAt],
          ['imported', `${card.createdAt} by ${card.createdBy}`],
          ['note', card.note],
          ['sha-256', card.hash],
          ['prices', `${card.exchange?.from ?? card.currency} per million tokens`],
          ...(card.exchange ? [['exchange', exchanged(card)] as const] : []),
          ...(card.markups ?? []).map(({ tenant, percent }) => ['markup', `${percent} % for ${tenant}`] as const),
        ]);
      if (cli.out.json) cli.out.data(card);
      else showPrices(cli, card.prices.flatMap(linesOf));
    });

  rates
    .command('export [version]')
    .description('write a rate card as a file that can be changed and imported (default: the one in force)')
    .action(async (version = 'in-force') => {
      const card = await cli.gateway.get<RateCardDetail>(path`/api/v1/admin/rate-cards/${String(version)}`);
      const { currency, note, exchange: rate, markups, prices } = card;
      const content = given({ currency, note, exchange: rate, markups, prices });
      cli.out.stdout.write(toYaml(content));
    });
}

const exchanged = ({ exchange: rate, currency }: RateCardDetail): string =>
  `1 ${rate?.from} is ${rate?.rate} ${currency}`;

/** What calls of a model cost in one situation. */
interface Line extends Classes {
  readonly model: string;
  /** A service tier, long prompts, or both. */
  readonly when?: string;
  readonly fees?: Price['fees'];
}

function linesOf({ model, tiers = {}, ...price }: Price): Line[] {
  const lines = (tier: Tier, name: string[]): Line[] => [
    { ...tier, model, ...(name.length > 0 && { when: name.join(', ') }) },
    ...(tier.longContext
      ? [{ ...tier.longContext, model, when: [...name, `above ${tier.longContext.aboveTokens}`].join(', ') }]
      : []),
  ];
  return [...lines(price, []), ...Object.entries(tiers).flatMap(([name, tier]) => lines(tier, [name]))];
}

/** Columns of what few models have are left out where none has it. */
function showPrices(cli: Cli, lines: readonly Line[]): void {
  const shown = PRICES.filter(({ rare, of }) => !rare || lines.some((line) => of(line) !== undefined));
  cli.out.rows(lines, shown, 'It prices nothing.');
}

const PRICES: readonly (Column<Line> & { readonly rare?: true })[] = [
  { title: 'model', of: (l) => l.model },
  { title: 'when', of: (l) => l.when, rare: true },
  { title: 'input', of: (l) => l.input, right: true },
  { title: 'cache read', of: (l) => l.cacheRead, right: true },
  { title: 'write 5m', of: (l) => l.cacheWrite5m, right: true },
  { title: 'write 1h', of: (l) => l.cacheWrite1h, right: true },
  { title: 'audio in', of: (l) => l.audioInput, right: true, rare: true },
  { title: 'output', of: (l) => l.output, right: true },
  { title: 'audio out', of: (l) => l.audioOutput, right: true, rare: true },
  { title: 'reasoning', of: (l) => l.reasoning, right: true },
  { title: 'search', of: (l) => l.fees?.webSearch, right: true, rare: true },
  { title: 'request', of: (l) => l.fees?.request, right: true, rare: true },
];

function exchange(text: string): Exchange {
  const [from = '', rate = ''] = text.split(':');
  if (!/^[A-Z]{3}$/.test(from) || rate === '')
    throw new InvalidArgumentError('Write currency and rate, as in USD:0.9213.');
  return { from, rate };
}

function markup(text: string, before: readonly Markup[] = []): Markup[] {
  const [tenant = '', percent = ''] = text.split(':');
  if (tenant === '' || percent === '') throw new InvalidArgumentError('Write tenant and percent, as in finance:-10.');
  return [...before, { tenant, percent }];
}

/** To the gateway the file is the field "text"; whoever gave it knows it by its name. */
const ofFile =
  (file: string) =>
  (error: unknown): never => {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(
      error.exitCode,
      error.message.replace(/^text: /gm, () => `${file}: `),
      error.problem,
    );
  };

const FORMATS = ['yaml', 'csv', 'litellm'];

/** A card may be JSON, which reads as YAML; what tells LiteLLM's map apart is a member that each of its entries has. */
function formatOf(file: string, text: string): string {
  if (/\.csv$/i.test(file)) return 'csv';
  return text.includes('"litellm_provider"') ? 'litellm' : 'yaml';
}
