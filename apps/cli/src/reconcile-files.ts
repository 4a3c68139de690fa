import { propose, reconcile, type Proposed, type ReconcileOptions, type ReconciledBills } from '@app/billing';
import { CliError, EXIT } from './exit-code';
import { textOf } from './text-file';

/** Compares files without a gateway. */
export const reconcileFiles = (
  usageExport: string,
  bills: readonly string[],
  options: ReconcileOptions,
): Promise<ReconciledBills> =>
  compared(usageExport, bills, () =>
    reconcile(
      textOf(usageExport),
      bills.map((bill) => () => textOf(bill)),
      options,
    ),
  );

/** Finds what a provider counts otherwise, request by request, without a gateway. */
export const proposeFromFiles = (usageExport: string, bills: readonly string[]): Promise<Proposed> =>
  compared(usageExport, bills, () => propose(textOf(usageExport), bills.map(textOf)));

async function compared<T>(usageExport: string, bills: readonly string[], compare: () => Promise<T>): Promise<T> {
  try {
    return await compare();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(
      EXIT.usage,
      `${usageExport} and ${bills.join(', ')} cannot be compared: ${(error as Error).message}`,
    );
  }
}
