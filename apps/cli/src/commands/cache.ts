import type { Command } from 'commander';
import type { Cli } from '../cli';
import { path } from '../gateway-client';

export function registerCache(program: Command, cli: Cli): void {
  const cache = program.command('cache').description('answers that tenants have kept');

  cache
    .command('clear <tenant>')
    .description("remove a tenant's kept answers")
    .action(async (tenant: string) => {
      const cleared = await cli.gateway.delete<{ removed: number }>(path`/api/v1/admin/tenants/${tenant}/cache`);
      const { removed } = cleared;
      cli.out.done(
        cleared,
        `${removed} answer${removed === 1 ? '' : 's'} of ${tenant} ${removed === 1 ? 'is' : 'are'} removed.`,
      );
    });
}
