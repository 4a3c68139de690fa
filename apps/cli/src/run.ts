import { Command, CommanderError } from 'commander';
import type { Cli } from './cli';
import { registerAudit } from './commands/audit';
import { registerBudgets } from './commands/budgets';
import { registerDeliveries } from './commands/deliveries';
import { registerDoctor } from './commands/doctor';
import { registerGateway } from './commands/gateway';
import { registerKeys } from './commands/keys';
import { registerLedger } from './commands/ledger';
import { registerCache } from './commands/cache';
import { registerLimits } from './commands/limits';
import { registerModels } from './commands/models';
import { registerPolicy } from './commands/policy';
import { registerPrompts } from './commands/prompts';
import { registerProviders } from './commands/providers';
import { registerRates } from './commands/rates';
import { registerTenants } from './commands/tenants';
import { registerTokens } from './commands/tokens';
import { registerBilling, registerUsage } from './commands/usage';
import { registerWebhooks } from './commands/webhooks';
import { CliError, EXIT, EXIT_CODES_HELP } from './exit-code';
import { GatewayClient } from './gateway-client';
import { Output, type Sink } from './output';
import { version } from './version';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

const DEFAULT_URL = 'http://127.0.0.1:18789';

/** Runs one command line, without the names of the program. @returns the exit code */
export async function run(argv: readonly string[], { env, stdout, stderr }: Surroundings): Promise<number> {
  const out = new Output(stdout, stderr);
  const warn = (text: string): void => out.remark(`openclawmu: warning: ${text}`);
  const gateway = new GatewayClient(env.OPENCLAWMU_URL || DEFAULT_URL, env.OPENCLAWMU_ADMIN_KEY, warn);
  const cli: Cli = { out, env, gateway };
  try {
    await program(cli, stdout, stderr).parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const told = error instanceof CliError ? error : gateway.misunderstanding;
    if (told === null) throw error;
    out.error(out.json && told.problem ? JSON.stringify(told.problem, null, 2) : `openclawmu: ${told.message}`);
    return told.exitCode;
  }
}

function program(cli: Cli, stdout: Sink, stderr: Sink): Command {
  const root = new Command('openclawmu')
    .description('Operates an OpenClawMU gateway through its control plane.')
    .version(version(), '--version', 'print the version of this tool')
    .option('--json', 'print results as JSON, for scripts')
    .option('-q, --quiet', 'print results only, no remarks')
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', EXIT_CODES_HELP)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .exitOverride()
    .hook('preAction', (_, action) => {
      const { json = false, quiet = false } = action.optsWithGlobals<{ json?: boolean; quiet?: boolean }>();
      cli.out.json = json;
      cli.out.quiet = quiet;
    });
  for (const register of [
    registerTenants,
    registerTokens,
    registerBudgets,
    registerLimits,
    registerPolicy,
    registerCache,
    registerRates,
    registerModels,
    registerProviders,
    registerUsage,
    registerBilling,
    registerLedger,
    registerDeliveries,
    registerAudit,
    registerGateway,
    registerPrompts,
    registerWebhooks,
    registerKeys,
    registerDoctor,
  ])
    register(root, cli);
  return root;
}
