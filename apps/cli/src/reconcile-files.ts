import { propose, reconcile, type Proposal, type ReconcileOptions, type Reconciliation } from '@app/billing';
import { CliError, EXIT } from './exit-code';
import { textOf } from './text-file';

/** Compares two files without a gateway. */
export async function reconcileFiles(
  usageExport: string,
  bill: string,
  options: ReconcileOptions,
): Promise<Reconciliation[]> {
  try {
    return await reconcile(textOf(usageExport), textOf(bill), options);
  } catch (error) {
    throw new CliError(EXIT.usage, `${usageExport} and ${bill} cannot be compared: ${(error as Error).message}`);
  }
}

/** Finds what a provider counts otherwise, request by request, without a gateway. */
export async function proposeFromFiles(usageExport: string, bill: string): Promise<Proposal[]> {
  try {
    return await propose(textOf(usageExport), textOf(bill));
  } catch (error) {
    throw new CliError(EXIT.usage, `${usageExport} and ${bill} cannot be compared: ${(error as Error).message}`);
  }
}
