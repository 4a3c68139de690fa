import { InvalidArgumentError, type Command } from 'commander';
import { given, type Cli } from '../cli';
import { path } from '../gateway-client';
import { positiveInteger } from '../values';

interface Limits {
  readonly requestsPerMinute: number | null;
  readonly requestsPerMinutePerToken: number | null;
  readonly concurrentRequests: number | null;
  readonly concurrentRequestsPerToken: number | null;
}

/** `none` lifts it; `null` would be taken for an option without a value. */
type Limit = number | 'none' | undefined;

interface SetOptions {
  readonly perMinute?: Limit;
  readonly perMinutePerToken?: Limit;
  readonly concurrent?: Limit;
  readonly concurrentPerToken?: Limit;
}

function limit(text: string): Limit {
  if (text === 'none') return text;
  try {
    return positiveInteger(text);
  } catch {
    throw new InvalidArgumentError('Give a whole number above 0, or none.');
  }
}

const liftedBy = (value: Limit): number | null | undefined => (value === 'none' ? null : value);

export function registerLimits(program: Command, cli: Cli): void {
  const limits = program.command('limits').description('how fast and how much at a time a tenant may call');

  limits
    .command('set <tenant>')
    .description('set limits on calls, in every gateway process within a second; others stay as they are')
    .option('--per-minute <number>', 'model calls in a calendar minute, or none to lift the limit', limit)
    .option('--per-minute-per-token <number>', 'the same for each of its tokens', limit)
    .option('--concurrent <number>', 'model calls at the same time, or none to lift the limit', limit)
    .option('--concurrent-per-token <number>', 'the same for each of its tokens', limit)
    .action(async (tenant: string, options: SetOptions, command: Command) => {
      const body = given({
        requestsPerMinute: liftedBy(options.perMinute),
        requestsPerMinutePerToken: liftedBy(options.perMinutePerToken),
        concurrentRequests: liftedBy(options.concurrent),
        concurrentRequestsPerToken: liftedBy(options.concurrentPerToken),
      });
      if (Object.keys(body).length === 0)
        command.error('error: say --per-minute, --per-minute-per-token, --concurrent or --concurrent-per-token');
      const set = await cli.gateway.put<Limits>(path`/api/v1/admin/tenants/${tenant}/limits`, body);
      const sentences = [
        `${tenant} may make ${many(set.requestsPerMinute)} a minute, each of its tokens ${many(set.requestsPerMinutePerToken)}.`,
        `${tenant} may have ${many(set.concurrentRequests)} at the same time, each of its tokens ${many(set.concurrentRequestsPerToken)}.`,
      ];
      cli.out.done(set, sentences.join('\n'));
    });

  limits
    .command('show <tenant>')
    .description('show how fast and how much at a time a tenant may call')
    .action(async (tenant: string) => {
      const shown = await cli.gateway.get<Limits>(path`/api/v1/admin/tenants/${tenant}/limits`);
      cli.out.facts(shown, [
        ['calls a minute', shown.requestsPerMinute ?? 'none'],
        ['of each token', shown.requestsPerMinutePerToken ?? 'none'],
        ['calls at the same time', shown.concurrentRequests ?? 'none'],
        ['at the same time of each token', shown.concurrentRequestsPerToken ?? 'none'],
      ]);
    });
}

const many = (calls: number | null): string =>
  calls === null ? 'any number of calls' : `${calls} call${calls === 1 ? '' : 's'}`;
