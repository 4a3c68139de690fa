import { Option, type Command } from 'commander';
import { given, type Cli } from '../cli';
import { readCorrections, type ProposedCorrection, type StatedTokens } from '../correction-file';
import { CliError } from '../exit-code';
import { path } from '../gateway-client';
import { money } from '../table';
import { readText } from '../text-file';
import { amount, count, instant, month } from '../values';

interface Billed {
  readonly tokens: Readonly<Record<string, number>>;
  readonly cost: string;
}

interface Row {
  readonly requestId: string;
  readonly at: string;
  readonly tenant: string;
  readonly model: string;
  readonly providerRequestId: string | null;
  readonly status: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly tokens: Readonly<Record<string, number>>;
  readonly cost: string;
  readonly currency: string | null;
  readonly corrections: number;
  readonly billed: Billed;
}

interface Correction {
  readonly requestId: string;
  readonly corrects: string;
  readonly before: Billed;
  readonly after: Billed;
  readonly difference: string;
  readonly currency: string | null;
}

interface Resolution {
  readonly rows: number;
  readonly more: boolean;
  readonly difference: string;
  readonly currency: string | null;
}

interface ListOptions {
  readonly status?: string;
  readonly tenant?: string;
  readonly model?: string;
  readonly reason?: string;
  readonly period?: string;
  readonly corrected?: true;
}

type TokenOptions = { readonly [Class in (typeof CLASSES)[number]['option']]?: number };

interface CorrectOptions extends TokenOptions {
  readonly webSearches?: number;
  readonly cost?: string;
  readonly reason?: string;
  readonly file?: string;
}

interface ResolveOptions {
  readonly status: string;
  readonly before: string;
  readonly tenant?: string;
  readonly asBilled?: true;
  readonly asZero?: true;
  readonly reason: string;
}

export interface UncertainCounts {
  readonly unconfirmed: number;
  readonly quarantined: number;
  readonly estimated: number;
}

/** How many rows there are that nobody can be sure of. */
export const UNCERTAIN = '/api/v1/admin/ledger/uncertain';

const STATUSES = ['unconfirmed', 'quarantined', 'estimated'];
const ROWS = '/api/v1/admin/ledger/rows';

/** The classes of tokens, each with its option. */
const CLASSES = [
  { option: 'input', flag: '--input <tokens>', what: 'prompt tokens outside any cache' },
  { option: 'audioInput', flag: '--audio-input <tokens>', what: 'spoken prompt tokens' },
  { option: 'cacheRead', flag: '--cache-read <tokens>', what: "prompt tokens read from the provider's cache" },
  { option: 'cacheWrite5m', flag: '--cache-write-5m <tokens>', what: 'written to a cache for five minutes' },
  { option: 'cacheWrite1h', flag: '--cache-write-1h <tokens>', what: 'written to a cache for an hour' },
  { option: 'output', flag: '--output <tokens>', what: 'tokens of the answer' },
  { option: 'audioOutput', flag: '--audio-output <tokens>', what: 'spoken tokens of the answer' },
  { option: 'reasoning', flag: '--reasoning <tokens>', what: 'tokens the model reasoned with' },
] as const;

/** Commands about rows that are not sure, and their correction, below `ledger`. */
export function registerLedgerRows(ledger: Command, cli: Cli): void {
  ledger
    .command('list')
    .description('list calls billed at an estimate or at their worst case that nobody has corrected, newest first')
    .addOption(new Option('--status <status>', 'only of this status').choices(STATUSES))
    .option('--tenant <id>', 'only this tenant')
    .option('--model <name>', 'only this model')
    .option('--reason <code>', 'only with this reason, such as no_answer')
    .option('--period <month>', 'only of this month, such as 2026-11', month)
    .option('--corrected', 'also those that were corrected')
    .action(async ({ corrected, ...options }: ListOptions) => {
      const query = corrected ? { ...options, corrected: 'true' } : { ...options };
      cli.out.rows(
        await cli.gateway.all<Row>(ROWS, query),
        [
          { title: 'request', of: (r) => r.requestId },
          { title: 'at', of: (r) => r.at },
          { title: 'tenant', of: (r) => r.tenant },
          { title: 'model', of: (r) => r.model },
          { title: 'status', of: (r) => r.status },
          { title: 'reason', of: (r) => r.reason },
          { title: 'billed', of: (r) => money(r.billed.cost, r.currency), right: true },
        ],
        Object.keys(query).length === 0
          ? 'Every call is billed as its provider reported, or was corrected.'
          : 'There are no such calls.',
      );
    });

  ledger
    .command('show <request>')
    .description('show how a call was booked and how it is billed with all its corrections')
    .action(async (request: string) => {
      const row = await cli.gateway.get<Row>(path`/api/v1/admin/ledger/rows/${request}`);
      cli.out.facts(row, [
        ['request', row.requestId],
        ['at', row.at],
        ['tenant', row.tenant],
        ['model', row.model],
        ['provider id', row.providerRequestId],
        ['status', [row.status, row.reason].filter((word) => word !== null).join(', ')],
        ['outcome', row.outcome],
        ['booked', `${money(row.cost, row.currency)} for ${tokens(row)}`],
        ['corrections', row.corrections],
        ['billed', `${money(row.billed.cost, row.currency)} for ${tokens(row.billed)}`],
      ]);
    });

  const correct = ledger
    .command('correct [request]')
    .description('state what a call really used; the difference is booked beside its row, which stays as it is');
  for (const { flag, what } of CLASSES) correct.option(flag, `${what}; a class that is not given had none`, count);
  correct
    .option('--web-searches <number>', 'searches of the web that the provider ran', count)
    .option('--cost <amount>', 'what it cost, instead of what follows from the rate card', amount)
    .option('--reason <text>', 'why; stands in the ledger, in bills and in the audit log')
    .option('--file <file>', 'apply a file of corrections, as "billing reconcile --propose" writes it')
    .action(async (request: string | undefined, options: CorrectOptions, command: Command) => {
      if (options.file !== undefined) return applyFile(cli, options.file);
      const { webSearches, cost, reason } = options;
      if (request === undefined || reason === undefined)
        command.error('error: give a request id and --reason, or --file');
      const stated = tokensOf(options);
      if ((stated ?? webSearches ?? cost) === undefined)
        command.error(
          'error: say all that it used (--input, --output and so on, --web-searches), or what it cost (--cost)',
        );
      const correction = await post(cli, { requestId: request, tokens: stated, webSearches, cost, reason });
      const [now, before, difference] = [correction.after.cost, correction.before.cost, correction.difference].map(
        (each) => money(each, correction.currency),
      );
      cli.out.done(
        correction,
        `${request} is billed at ${now}, and was at ${before}: ${difference} is booked as ${correction.requestId}.`,
      );
    });

  ledger
    .command('resolve')
    .description('decide about all calls of a status before a moment: billed as they are, or not at all')
    .addOption(new Option('--status <status>', 'how they were booked').choices(STATUSES).makeOptionMandatory())
    .requiredOption('--before <time>', 'of calls before this instant, or day of UTC', instant)
    .option('--tenant <id>', 'only this tenant')
    .addOption(new Option('--as-billed', 'they are right as they are').conflicts('asZero'))
    .option('--as-zero', 'the provider has billed none of them')
    .requiredOption('--reason <text>', 'why; stands in the ledger, in bills and in the audit log')
    .action(async ({ asBilled, asZero, ...options }: ResolveOptions, command: Command) => {
      if (!asBilled && !asZero) command.error('error: say --as-billed or --as-zero');
      const body = { ...options, as: asBilled ? 'billed' : 'zero' };
      const done: Resolution[] = [];
      do done.push(await cli.gateway.post<Resolution>('/api/v1/admin/ledger/resolutions', body));
      while (done.at(-1)?.more);
      const booked = done.filter(({ rows }) => rows > 0);
      const rows = booked.reduce((sum, each) => sum + each.rows, 0);
      const sums = booked.map(({ difference, currency }) => money(difference, currency));
      cli.out.done(
        { rows, differences: booked.map(({ difference }) => difference) },
        rows === 0
          ? 'There was nothing to decide about.'
          : `${rows} row${rows === 1 ? ' is' : 's are'} resolved; that adds ${sums.join(' and ')} to bills.`,
      );
    });
}

const post = (cli: Cli, { requestId, ...correction }: ProposedCorrection): Promise<Correction> =>
  cli.gateway.post<Correction>(path`/api/v1/admin/ledger/rows/${requestId}/corrections`, given(correction));

/** Each by itself, so that what is done stays done; applied again, what was applied before is skipped. */
async function applyFile(cli: Cli, file: string): Promise<void> {
  const proposed = readCorrections(readText(file));
  const done: Correction[] = [];
  for (const correction of proposed) {
    try {
      done.push(await post(cli, correction));
    } catch (error) {
      if (!isEmpty(error)) throw error;
    }
  }
  cli.out.done(done, `${done.length} of ${proposed.length} corrections are booked; the others were billed so already.`);
}

const isEmpty = (error: unknown): boolean =>
  error instanceof CliError && (error.problem as { code?: string } | undefined)?.code === 'correction_empty';

function tokensOf(options: TokenOptions): StatedTokens | undefined {
  const stated = CLASSES.flatMap(({ option }) => (options[option] === undefined ? [] : [[option, options[option]]]));
  return stated.length === 0 ? undefined : (Object.fromEntries(stated) as StatedTokens);
}

const tokens = ({ tokens: counts }: Pick<Billed, 'tokens'>): string =>
  Object.entries(counts)
    .filter(([, number]) => number !== 0)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ') || 'no tokens';
