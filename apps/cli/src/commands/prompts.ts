import type { Command } from 'commander';
import type { Cli } from '../cli';
import { path } from '../gateway-client';
import { instant } from '../values';

interface Head {
  readonly requestId: string;
  readonly at: string;
  readonly tenant: string;
  readonly tokenId: string;
  readonly model: string;
  readonly api: string;
  readonly status: number;
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly whole: boolean;
  readonly keyId: string;
}

interface Entry extends Head {
  readonly request: string;
  readonly answer: string;
}

const PROMPTS = '/api/v1/admin/prompts';

export function registerPrompts(program: Command, cli: Cli): void {
  const prompts = program
    .command('prompts')
    .description('requests and answers that are kept; every look is in the audit log');

  prompts
    .command('list <tenant>')
    .description('list what is kept of a tenant, newest first')
    .option('--from <time>', 'only calls that began at this instant, or day of UTC, or later', instant)
    .option('--to <time>', 'only calls that began before this instant, or day of UTC', instant)
    .action(async (tenant: string, options: { from?: string; to?: string }) => {
      cli.out.rows(
        await cli.gateway.all<Head>(PROMPTS, { tenant, ...options }),
        [
          { title: 'request', of: (p) => p.requestId },
          { title: 'at', of: (p) => p.at },
          { title: 'token', of: (p) => p.tokenId },
          { title: 'model', of: (p) => p.model },
          { title: 'status', of: (p) => p.status, right: true },
          { title: 'asked bytes', of: (p) => p.requestBytes, right: true },
          { title: 'answered bytes', of: (p) => p.answerBytes, right: true },
          { title: 'whole', of: (p) => (p.whole ? 'yes' : 'no') },
          { title: 'key', of: (p) => p.keyId },
        ],
        `Nothing is kept of ${tenant}. To keep its calls from now on: openclawmu tenants change ${tenant} --prompt-log`,
      );
    });

  prompts
    .command('show <request>')
    .description('print request and answer of a call')
    .action(async (requestId: string) => {
      const entry = await cli.gateway.get<Entry>(path`/api/v1/admin/prompts/${requestId}`);
      cli.out.facts(entry, [
        ['request', entry.requestId],
        ['at', entry.at],
        ['tenant', entry.tenant],
        ['token', entry.tokenId],
        ['model', `${entry.model} (${entry.api})`],
        ['status', entry.status],
        ['whole', entry.whole ? 'yes' : 'no'],
        ['asked', entry.request],
        ['answered', entry.answer],
      ]);
    });
}
