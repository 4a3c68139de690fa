import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import type { Query } from '../gateway-client';
import { money, printable } from '../table';
import { fileFault } from '../text-file';
import { instant, month } from '../values';
import { registerReconcile } from './reconcile';
import { registerStatements } from './statements';
import { registerVerify } from './verify';

interface Sums {
  readonly requests: number;
  readonly tokens: Readonly<
    Record<
      'input' | 'audioInput' | 'cacheRead' | 'cacheWrite5m' | 'cacheWrite1h' | 'output' | 'audioOutput' | 'reasoning',
      number
    >
  >;
  readonly listCost: string;
  readonly cost: string;
}

interface UsageLine extends Sums {
  readonly key: string | null;
  readonly label: string | null;
  readonly cachedRequests: number;
  readonly saved: string;
}

interface Report {
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly currency: string | null;
  readonly items: readonly UsageLine[];
  readonly moreItems: number;
  readonly totals: Omit<UsageLine, 'key' | 'label'>;
}

interface Manifest {
  readonly schema: string;
  readonly filename: string;
  readonly from: string;
  readonly to: string;
  readonly tenant: string | null;
  readonly asOf: string;
  readonly currency: string | null;
  readonly rows: number;
  readonly sha256: string;
  readonly totals: Sums;
}

interface PeriodOptions {
  readonly tenant?: string;
  readonly period?: string;
  readonly from?: string;
  readonly to?: string;
}

type ReportOptions = PeriodOptions & {
  readonly csv?: true;
  readonly layout: string;
  readonly asOf?: string;
  readonly output?: string;
};

export function registerUsage(program: Command, cli: Cli): void {
  withPeriod(program.command('usage').description('who used what, in the current month if nothing else is said'))
    .addOption(
      new Option('--by <what>', 'sum by this')
        .choices(['tenant', 'model', 'token', 'day', 'subject', 'endUser', 'costCenter', 'api'])
        .default('tenant'),
    )
    .action(async (options: PeriodOptions & { by: string }) => {
      const report = await cli.gateway.get<Report>('/api/v1/admin/usage', { ...options });
      const total = { key: 'total', label: null, ...report.totals };
      if (cli.out.json) return cli.out.data(report);
      const lines = report.items.length === 0 ? [] : [...report.items, total].flatMap(withSavings);
      const currency = report.currency ?? '';
      cli.out.rows(
        lines,
        [
          { title: TITLES[report.by] ?? report.by, of: (u) => u.key },
          { title: 'name', of: (u) => u.label },
          { title: 'requests', of: (u) => u.requests, right: true },
          { title: 'input', of: ({ tokens: t }) => t && t.input + t.audioInput, right: true },
          { title: 'cache read', of: ({ tokens: t }) => t?.cacheRead, right: true },
          { title: 'cache write', of: ({ tokens: t }) => t && t.cacheWrite5m + t.cacheWrite1h, right: true },
          { title: 'output', of: ({ tokens: t }) => t && t.output + t.audioOutput + t.reasoning, right: true },
          { title: `cost ${currency}`.trim(), of: (u) => u.cost, right: true },
          ...(total.cachedRequests === 0
            ? []
            : [{ title: `saved ${currency}`.trim(), of: (u: Line) => u.saved, right: true }]),
        ],
        `Nothing was used from ${report.from} to ${report.to}.`,
      );
      if (report.moreItems > 0) cli.out.remark(`${report.moreItems} more are not shown; the total covers them.`);
    });
}

const TITLES: Readonly<Record<string, string>> = { costCenter: 'cost centre', endUser: 'end user' };

/** A line of the table; what it has no figure for is left out. */
interface Line {
  readonly key: string | null;
  readonly label: string | null;
  readonly requests: number;
  readonly tokens?: Sums['tokens'];
  readonly cost?: string;
  readonly saved?: string;
}

/** What the response cache answered, and saved, has a line of its own below what it is part of. */
function withSavings({ cachedRequests, saved, ...line }: UsageLine): Line[] {
  if (cachedRequests === 0) return [line];
  return [line, { key: '  from cache', label: null, requests: cachedRequests, saved }];
}

export function registerBilling(program: Command, cli: Cli): void {
  const billing = program.command('billing').description('bills');
  withPeriod(billing.command('report').description("a period's bill: its totals, or the whole of it as CSV"))
    .option('--csv', 'write the CSV to standard output')
    .option('-o, --output <file>', 'write the CSV into a file, which appears when it is complete')
    .addOption(
      new Option('--layout <layout>', 'a line for each')
        .choices(['detail', 'daily', 'period', 'chargeback', 'focus'])
        .default('detail'),
    )
    .option('--as-of <instant>', 'leave out what was booked later, to get an earlier report again', instant)
    .action(async ({ csv, output, ...query }: ReportOptions) => {
      if (csv || output !== undefined) await download(cli, query, output);
      else showManifest(cli, await cli.gateway.get<Manifest>('/api/v1/admin/billing/report.manifest.json', query));
    });
  registerStatements(billing, cli);
  registerVerify(billing, cli);
  registerReconcile(billing, cli);
}

const withPeriod = (command: Command): Command =>
  command
    .option('--tenant <id>', 'only this tenant')
    .addOption(
      new Option('--period <month>', "a month of the gateway's time zone, such as 2026-11")
        .argParser(month)
        .conflicts(['from', 'to']),
    )
    .option('--from <when>', 'first instant, or day of UTC', instant)
    .option('--to <when>', 'the instant, or day of UTC, it ends before', instant);

async function download(cli: Cli, query: Query, file: string | undefined): Promise<void> {
  const { headers, body } = await cli.gateway.download('/api/v1/admin/billing/report.csv', query);
  try {
    if (file === undefined) await pipeline(body, cli.out.stdout, { end: false });
    else {
      await pipeline(body, createWriteStream(`${file}.part`));
      await rename(`${file}.part`, file);
    }
  } catch (error) {
    const { syscall } = error as NodeJS.ErrnoException;
    if (file !== undefined && (syscall === 'open' || syscall === 'write' || syscall === 'rename'))
      throw new CliError(EXIT.failed, `${file} cannot be written: ${fileFault(error)}.`);
    throw new CliError(EXIT.failed, `The report broke off and is not complete: ${(error as Error).message}`);
  }
  cli.out.remark(`To get these bytes again: --as-of ${printable(headers.get('x-report-as-of') ?? 'unknown')}`);
}

function showManifest(cli: Cli, manifest: Manifest): void {
  cli.out.facts(manifest, [
    ['tenant', manifest.tenant ?? 'all'],
    ['from', manifest.from],
    ['to', manifest.to],
    ['requests', manifest.totals.requests],
    ['cost', money(manifest.totals.cost, manifest.currency)],
    ...(manifest.totals.listCost === manifest.totals.cost
      ? []
      : [['before markups', money(manifest.totals.listCost, manifest.currency)] as const]),
    ['csv', `${manifest.schema}, ${manifest.rows} ${manifest.rows === 1 ? 'line' : 'lines'} (--csv writes it)`],
    ['sha-256', manifest.sha256],
    ['as of', manifest.asOf],
  ]);
}
