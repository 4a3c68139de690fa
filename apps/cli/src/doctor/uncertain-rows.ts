import type { Cli } from '../cli';
import { UNCERTAIN, type UncertainCounts } from '../commands/ledger-rows';
import { CliError } from '../exit-code';
import { note, type Finding } from './finding';

/**
 * Calls that are billed at their worst case because nobody knows better. Estimates are everyday: whoever leaves in the middle
 * makes one. Says nothing when there are none, nor when nobody can be asked: others say that.
 */
export async function examineUncertainRows(gateway: Cli['gateway']): Promise<Finding[]> {
  try {
    const { unconfirmed, quarantined, estimated } = await gateway.get<UncertainCounts>(UNCERTAIN);
    if (unconfirmed + quarantined === 0) return [];
    return [
      note(
        'ledger',
        `${unconfirmed} unconfirmed and ${quarantined} quarantined rows are billed at their worst case, ${estimated} at an estimate`,
        '"openclawmu ledger list" names them; correct them by the provider\'s invoice: openclawmu ledger correct',
      ),
    ];
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}
