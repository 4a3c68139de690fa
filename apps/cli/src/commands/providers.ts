import type { Command } from 'commander';
import type { Cli } from '../cli';

export interface Provider {
  readonly name: string;
  readonly address: string;
  readonly breaker: string;
  readonly keys: number;
  readonly keysAside: number;
  readonly inside: number | null;
  readonly maxConcurrent: number | null;
  readonly waiting: number;
  readonly retried: number;
  readonly lastFault: string | null;
}

export function registerProviders(program: Command, cli: Cli): void {
  program
    .command('providers')
    .description('the providers of the configuration')
    .command('list')
    .description('list providers, and how they fare as the gateway process sees it that answers')
    .action(async () => {
      cli.out.rows(
        (await cli.gateway.get<{ items: Provider[] }>('/api/v1/admin/providers')).items,
        [
          { title: 'provider', of: (p) => p.name },
          { title: 'address', of: (p) => p.address },
          { title: 'breaker', of: (p) => p.breaker },
          {
            title: 'keys',
            of: (p) => (p.keysAside === 0 ? p.keys : `${p.keys - p.keysAside} of ${p.keys}`),
            right: true,
          },
          {
            title: 'calls',
            of: (p) => (p.maxConcurrent === null ? '' : `${p.inside} of ${p.maxConcurrent}`),
            right: true,
          },
          { title: 'waiting', of: (p) => p.waiting, right: true },
          { title: 'retried', of: (p) => p.retried, right: true },
          { title: 'failed last because', of: (p) => p.lastFault ?? '' },
        ],
        'There are no providers.',
      );
    });
}
