import type { Cli } from '../cli';
import { LOST, type LostProcess } from '../commands/gateway';
import { CliError } from '../exit-code';
import { note, type Finding } from './finding';

/** Gateway processes that are gone for good. Says nothing when there are none, nor when nobody can be asked: others say that. */
export async function examineLostProcesses(gateway: Cli['gateway']): Promise<Finding[]> {
  try {
    const { items } = await gateway.get<{ items: LostProcess[] }>(LOST);
    return items.map(({ id, host, startedAt, leased }) =>
      note(
        'lost process',
        `${id} on ${host}, started ${startedAt}, left ${leased.length} leases that stay counted as held`,
        `Is its machine or journal lost for good? "openclawmu gateway lost" says what it had; then openclawmu gateway resolve ${id}`,
      ),
    );
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}
