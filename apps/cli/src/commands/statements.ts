import { createWriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { path } from '../gateway-client';
import { money } from '../table';
import { month } from '../values';

interface Statement {
  readonly schema: string;
  readonly id: string;
  readonly period: string;
  readonly tenant: string | null;
  readonly from: string;
  readonly to: string;
  readonly asOf: string;
  readonly currency: string | null;
  readonly rows: number;
  readonly lateRows: number;
  readonly sha256: string;
  readonly totals: { readonly requests: number; readonly cost: string };
  readonly closedAt: string;
  readonly closedBy: string;
}

const STATEMENTS = '/api/v1/admin/statements';

/** Commands about closed bills, below `billing`. */
export function registerStatements(billing: Command, cli: Cli): void {
  billing
    .command('close')
    .description('close a month: its bill is fixed, and what is booked later stands in the next one')
    .requiredOption('--period <month>', 'such as 2026-11', month)
    .option('--tenant <id>', 'of this tenant only (default: the whole gateway)')
    .action(async (options: { period: string; tenant?: string }) => {
      const statement = await cli.gateway.post<Statement>(STATEMENTS, options);
      const { id, rows, closedAt } = statement;
      cli.out.done(
        statement,
        `Statement ${id} is closed since ${closedAt} (lines: ${rows}, cost: ${cost(statement)}). Next: openclawmu billing statement download ${id}`,
      );
    });

  billing
    .command('statements')
    .description('list closed statements, newest month first')
    .option('--tenant <id>', 'only this tenant')
    .action(async (options: { tenant?: string }) => {
      cli.out.rows(
        await cli.gateway.all<Statement>(STATEMENTS, options),
        [
          { title: 'statement', of: (s) => s.id },
          { title: 'tenant', of: (s) => s.tenant ?? 'all' },
          { title: 'lines', of: (s) => s.rows, right: true },
          { title: 'late', of: (s) => s.lateRows, right: true },
          { title: 'cost', of: cost, right: true },
          { title: 'closed', of: (s) => s.closedAt },
        ],
        'No month is closed yet. Close one: openclawmu billing close --period 2026-11',
      );
    });

  const one = billing.command('statement').description('one closed statement');

  one
    .command('show <id>')
    .description('show what a statement covers and amounts to')
    .action(async (id: string) => {
      const statement = await cli.gateway.get<Statement>(path`/api/v1/admin/statements/${id}`);
      cli.out.facts(statement, [
        ['tenant', statement.tenant ?? 'all'],
        ['from', statement.from],
        ['to', statement.to],
        ['as of', statement.asOf],
        ['requests', statement.totals.requests],
        ['late', statement.lateRows],
        ['cost', cost(statement)],
        ['closed', `${statement.closedAt} by ${statement.closedBy}`],
        ['csv', `${statement.schema}, ${statement.rows} lines`],
        ['sha-256', statement.sha256],
      ]);
    });

  one
    .command('download <id>')
    .description('write the bill, its manifest, line digests and rate cards into a folder; the same bytes every time')
    .option('--into <folder>', 'an existing or new folder', '.')
    .action(async (id: string, { into }: { into: string }) => {
      const base = path`/api/v1/admin/statements/${id}`;
      const manifest = await cli.gateway.get<Statement>(base);
      const name = join(into, `statement-${manifest.id}`);
      try {
        await mkdir(into, { recursive: true });
        await save(cli, `${base}/bill.csv`, `${name}.csv`);
        await save(cli, `${base}/digests.csv`, `${name}.digests.csv`);
        await writeJson(`${name}.rate-cards.json`, await cli.gateway.get(`${base}/rate-cards.json`));
        await writeJson(`${name}.manifest.json`, manifest);
      } catch (error) {
        if (error instanceof CliError) throw error;
        throw new CliError(EXIT.failed, `The statement could not be written whole: ${(error as Error).message}`);
      }
      cli.out.done(manifest, `Statement ${manifest.id} is in ${name}.csv, with its manifest, digests and rate cards.`);
    });
}

const cost = ({ totals, currency }: Statement): string => money(totals.cost, currency);

/** Under its name only when it is complete. */
async function save(cli: Cli, from: string, file: string): Promise<void> {
  const { body } = await cli.gateway.download(from, {});
  await pipeline(body, createWriteStream(`${file}.part`));
  await rename(`${file}.part`, file);
}

const writeJson = (file: string, value: unknown): Promise<void> =>
  writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
