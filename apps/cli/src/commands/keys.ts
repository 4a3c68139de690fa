import { createHash, randomBytes } from 'node:crypto';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli';

const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

export function registerKeys(program: Command, cli: Cli): void {
  const keys = program.command('keys').description('admin keys; they live in the configuration, as hashes');
  keys
    .command('create <name>')
    .description('make an admin key: the key on standard output, what to put into the configuration beside it')
    .addOption(
      new Option('--role <role>', 'what it may do')
        .choices(['admin', 'finance', 'security', 'auditor', 'monitor'])
        .default('admin'),
    )
    .action((name: string, { role }: { role: string }, command: Command) => {
      if (!NAME.test(name))
        command.error('error: a name is 1 to 32 of a-z, 0-9, "-" and "_", starting with a letter or digit');
      const key = `ak_${name}_${randomBytes(16).toString('hex')}`;
      const hash = `sha256:${createHash('sha256').update(key).digest('hex')}`;
      if (cli.out.json) return cli.out.data({ name, role, key, hash });
      cli.out.error(
        'Add these lines to the list "adminKeys" of openclawmu.yaml and reload the gateway (kill -HUP).\n\n' +
          `  - name: ${name}\n    hash: ${hash}\n    role: ${role}\n\n` +
          'The key. It is shown this once; keep it now.\n',
      );
      cli.out.stdout.write(`${key}\n`);
    });
}
