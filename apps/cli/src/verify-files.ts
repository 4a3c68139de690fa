import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { linesOf, verifyChain, type Verdict } from '@app/audit';
import { CliError, EXIT } from './exit-code';
import { fileFault } from './text-file';

const CHECKPOINTS = 'checkpoints.jsonl';

/**
 * Checks exported files without a gateway. The names carry the day, so their order is that of the records; a
 * `checkpoints.jsonl` among them, as `--file data/audit/*.jsonl` gives, is taken for what it is.
 */
export async function verifyFiles(
  files: readonly string[],
  checkpoints?: string,
  key?: string,
  firstSeq?: number,
): Promise<Verdict> {
  const byDay = (a: string, b: string): number => (basename(a) < basename(b) ? -1 : 1);
  const records = files.filter((file) => basename(file) !== CHECKPOINTS).sort(byDay);
  const signed = checkpoints ?? files.find((file) => basename(file) === CHECKPOINTS);
  try {
    return await verifyChain(allLines(records), {
      checkpoints: signed === undefined ? undefined : linesOf(signed),
      publicKey: key === undefined ? undefined : createPublicKey(readFileSync(key)),
      firstSeq,
    });
  } catch (error) {
    const { path = 'One of the files' } = error as NodeJS.ErrnoException;
    throw new CliError(EXIT.usage, `${path} cannot be read: ${fileFault(error)}.`);
  }
}

async function* allLines(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) yield* linesOf(file);
}
