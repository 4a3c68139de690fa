import type { Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { cell } from '../table';

const SIGNS = { ok: 'ok  ', note: 'note', wrong: 'FAIL' } as const;

export function registerDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description(
      'look at configuration, data, database, providers and sandbox, and say what is wrong; works without a gateway',
    )
    .option('--config <file>', 'the configuration (default: OPENCLAWMU_CONFIG or openclawmu.yaml)')
    .action(async ({ config }: { config?: string }) => {
      // Loaded when needed: it brings the platform library, and API commands should start at once.
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const { examine } = require('../doctor/examine') as typeof import('../doctor/examine');
      const file = config ?? cli.env.OPENCLAWMU_CONFIG ?? 'openclawmu.yaml';
      const findings = await examine(file, cli.env, cli.gateway);
      if (cli.out.json) cli.out.data(findings);
      else
        for (const { state, about, what, remedy } of findings) {
          cli.out.stdout.write(`${SIGNS[state]}  ${about.padEnd(13)} ${cell(what)}\n`);
          if (remedy !== undefined) cli.out.stdout.write(`${' '.repeat(20)}${cell(remedy)}\n`);
        }
      const wrong = findings.filter(({ state }) => state === 'wrong').length;
      if (wrong > 0) throw new CliError(EXIT.checkFailed, `${wrong} thing${wrong === 1 ? ' is' : 's are'} wrong.`);
    });
}
