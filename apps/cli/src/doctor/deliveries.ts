import type { Cli } from '../cli';
import { DELIVERIES, type Delivery } from '../commands/deliveries';
import { CliError } from '../exit-code';
import { note, type Finding } from './finding';

/** Bills that do not arrive. Says nothing when all do, nor when nobody can be asked: others say that. */
export async function examineDeliveries(gateway: Cli['gateway']): Promise<Finding[]> {
  try {
    const { items } = await gateway.get<{ items: Delivery[] }>(DELIVERIES);
    return items
      .filter(({ failing }) => failing > 0)
      .map(({ name, place, failing }) =>
        note(
          'delivery',
          `${name} to ${place} failed, and nothing has made it good since (runs: ${failing})`,
          `"openclawmu deliveries runs ${name}" says why. What is given up is not tried again: openclawmu deliveries run ${name} --period PERIOD`,
        ),
      );
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}
