import { CodedError } from '@app/platform';
import { DeliveryFault } from './delivery.errors';

/** What is wrong with one file, and not with the place or the database. */
const OF_ONE_FILE: ReadonlySet<string> = new Set(['ledger_month_archived', 'statement_altered', 'tenant_not_found']);

/**
 * Writes one file after the other. One that cannot be made keeps no other back, or nothing would be delivered any more until
 * somebody has put it right; it is thrown when all others are written.
 */
export async function* writeAll<File, Written>(
  files: readonly File[],
  write: (file: File) => Promise<Written>,
): AsyncGenerator<Written> {
  let first: unknown;
  for (const file of files) {
    const written = await write(file).catch((error: unknown) => {
      if (!isOfOneFile(error)) throw error;
      first ??= error;
      return undefined;
    });
    if (written !== undefined) yield written;
  }
  if (first !== undefined) throw first as Error;
}

const isOfOneFile = (error: unknown): boolean =>
  error instanceof DeliveryFault || (error instanceof CodedError && OF_ONE_FILE.has(error.code));
