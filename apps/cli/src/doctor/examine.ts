import { existsSync, statSync } from 'node:fs';
import { Config, ConfigError, type GatewayConfig } from '@app/platform';
import type { Cli } from '../cli';
import { examineAdminKey } from './admin-key';
import { examineDataDir } from './data-dir';
import { examineDatabase } from './database';
import { note, ok, wrong, type Finding } from './finding';
import { examineDeliveries } from './deliveries';
import { examineGateway } from './gateway';
import { examineLostProcesses } from './lost-processes';
import { examinePrices } from './prices';
import { examineProviderHealth } from './provider-health';
import { examineProviders } from './providers';
import { examineSandbox } from './sandbox';
import { examineUncertainRows } from './uncertain-rows';

const READ_BY_OTHERS = 0o004;
/** Where a gateway listens unless it is told otherwise. */
const USUAL = { host: '127.0.0.1', port: 18789 };

/** The gateway may well have what this shell has not. */
const UNSET = 'but the environment variable';
const GIVE_VARIABLES =
  'Give this shell the variables that the gateway has, as with: set -a; . /etc/openclawmu.env; set +a (or correct the file)';

type Environment = Readonly<Record<string, string | undefined>>;

/** Looks at everything the gateway needs, changes nothing, and reports all of it at once. */
export async function examine(file: string, env: Environment, gateway: Cli['gateway']): Promise<Finding[]> {
  const findings = [examineNode(process.versions.node)];
  const { config, finding } = load(file, env);
  findings.push(finding, ...examineRights(file));
  if (config) {
    findings.push(await examineDataDir(config.dataDir));
    const others = [examineDatabase(config), examineGateway(config, env), examineProviders(config)];
    findings.push(...(await Promise.all(others)).flat(), examineAdminKey(config.adminKeys, env.OPENCLAWMU_ADMIN_KEY));
  } else findings.push(await examineGateway({ server: USUAL }, env));
  // What the gateway knows does not depend on the file that is here.
  findings.push(...(await examineProviderHealth(gateway)), ...(await examineLostProcesses(gateway)));
  findings.push(...(await examinePrices(gateway)), ...(await examineUncertainRows(gateway)));
  findings.push(...(await examineDeliveries(gateway)));
  return [...findings, await examineSandbox()];
}

function examineNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return ok('node', version);
  return wrong('node', `${version} is too old`, 'Install Node 20.19 or newer.');
}

/** Hashes and addresses stand in it, and often a provider's key. Says nothing where all is well. */
function examineRights(file: string): Finding[] {
  if (!existsSync(file) || (statSync(file).mode & READ_BY_OTHERS) === 0) return [];
  return [note('configuration', `${file} can be read by every user of this machine`, `chmod 600 ${file}`)];
}

function load(file: string, env: Environment): { config?: GatewayConfig; finding: Finding } {
  if (!existsSync(file))
    return {
      finding: note(
        'configuration',
        `${file} does not exist`,
        'The first "npm start" writes one, with a first admin key.',
      ),
    };
  try {
    return { config: Config.load(file, env).current, finding: ok('configuration', `${file} is valid`) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { problems } = error;
    const remedy = problems.some((problem) => problem.includes(UNSET)) ? GIVE_VARIABLES : 'Correct the file';
    return { finding: wrong('configuration', `${file}: ${problems.join('; ')}`, `${remedy} and run this again.`) };
  }
}
