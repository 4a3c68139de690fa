import type { Cli } from '../cli';
import type { Provider } from '../commands/providers';
import { CliError } from '../exit-code';
import { note, wrong, type Finding } from './finding';

/** How providers fare in the gateway that answers. Says nothing where all is well, nor when nobody can be asked. */
export async function examineProviderHealth(gateway: Cli['gateway']): Promise<Finding[]> {
  try {
    const { items } = await gateway.get<{ items: Provider[] }>('/api/v1/admin/providers');
    return items.flatMap((provider) => [...examineBreaker(provider), ...examineKeys(provider)]);
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}

function examineBreaker({ name, breaker, lastFault }: Provider): Finding[] {
  if (breaker === 'closed') return [];
  const what = `${name}: the gateway does not ask it for the moment, because it failed several times in a row (${lastFault})`;
  return [wrong('providers', what, 'It is asked again by itself. The log of the gateway tells since when.')];
}

function examineKeys({ name, keys, keysAside, lastFault }: Provider): Finding[] {
  if (keysAside === 0) return [];
  const what = `${name}: ${keysAside} of ${keys} keys are set aside, because it refuses or limits them; it failed last because: ${lastFault ?? 'a limit'}`;
  const remedy = 'Renew those that are refused, and reload: the log of the gateway tells which.';
  return [keysAside === keys ? wrong('providers', what, remedy) : note('providers', what, remedy)];
}
