import { InvalidArgumentError, type Command } from 'commander';
import type { Cli } from '../cli';
import { path } from '../gateway-client';
import { positiveInteger } from '../values';

interface Limits {
  readonly requestsPerMinute: number | null;
  readonly requestsPerMinutePerToken: number | null;
}

/** A limit, or `none`, which lifts it. */
function limit(text: string): number | null {
  if (text === 'none') return null;
  try {
    return positiveInteger(text);
  } catch {
    throw new InvalidArgumentError('Give a whole number above 0, or none.');
  }
}

export function registerLimits(program: Command, cli: Cli): void {
  const limits = program.command('limits').description('how fast a tenant may call');

  limits
    .command('set <tenant>')
    .description('set limits on calls, in every gateway process within a second; others stay as they are')
    .option('--per-minute <number>', 'model calls in a calendar minute, or none to lift the limit', limit)
    .option('--per-minute-per-token <number>', 'the same for each of its tokens', limit)
    .action(
      async (
        tenant: string,
        options: { readonly perMinute?: number | null; readonly perMinutePerToken?: number | null },
        command: Command,
      ) => {
        const { perMinute: requestsPerMinute, perMinutePerToken: requestsPerMinutePerToken } = options;
        if (requestsPerMinute === undefined && requestsPerMinutePerToken === undefined)
          command.error('error: say --per-minute or --per-minute-per-token');
        const body = { requestsPerMinute, requestsPerMinutePerToken };
        const set = await cli.gateway.put<Limits>(path`/api/v1/admin/tenants/${tenant}/limits`, body);
        cli.out.done(
          set,
          `${tenant} may make ${many(set.requestsPerMinute)} a minute, each of its tokens ${many(set.requestsPerMinutePerToken)}.`,
        );
      },
    );

  limits
    .command('show <tenant>')
    .description('show how fast a tenant may call')
    .action(async (tenant: string) => {
      const shown = await cli.gateway.get<Limits>(path`/api/v1/admin/tenants/${tenant}/limits`);
      cli.out.facts(shown, [
        ['calls a minute', shown.requestsPerMinute ?? 'none'],
        ['of each token', shown.requestsPerMinutePerToken ?? 'none'],
      ]);
    });
}

const many = (calls: number | null): string => (calls === null ? 'any number of calls' : `${calls} calls`);
