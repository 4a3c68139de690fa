import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { linesOf, seqOf, verifyChain, type Verdict } from '@app/audit';
import { CliError, EXIT } from './exit-code';
import { fileFault } from './text-file';

const CHECKPOINTS = 'checkpoints.jsonl';
const UNSIGNED =
  'The records follow on each other, but there is no checkpoint whose signature the key could check: their end may be cut off, ' +
  'or all of them written anew. Name checkpoints.jsonl among the files, or with --checkpoints.';

/**
 * Checks exported files without a gateway, in the order of their first records: a log rotation gives them names of its own. A
 * `checkpoints.jsonl` among them, as `--file data/audit/*.jsonl` gives, is taken for what it is.
 *
 * @throws CliError for a file that cannot be read, and for a good chain of which a key was to tell more than there are checkpoints for
 */
export async function verifyFiles(
  files: readonly string[],
  checkpoints?: string,
  key?: string,
  firstSeq?: number,
): Promise<Verdict> {
  const records = files.filter((file) => basename(file) !== CHECKPOINTS);
  const signed = checkpoints ?? files.find((file) => basename(file) === CHECKPOINTS);
  try {
    const verdict = await verifyChain(allLines(await inOrder(records)), {
      checkpoints: signed === undefined ? undefined : linesOf(signed),
      publicKey: key === undefined ? undefined : createPublicKey(readFileSync(key)),
      firstSeq,
    });
    // Whoever cuts the end off takes the checkpoints along, and a script sees only how this ends.
    if (verdict.ok && key !== undefined && verdict.checkpoints === 0) throw new CliError(EXIT.usage, UNSIGNED);
    return verdict;
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { path = 'One of the files' } = error as NodeJS.ErrnoException;
    throw new CliError(EXIT.usage, `${path} cannot be read: ${fileFault(error)}.`);
  }
}

async function* allLines(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) yield* linesOf(file);
}

/** A file that does not begin with a record comes where its name has it. */
async function inOrder(files: readonly string[]): Promise<string[]> {
  const byName = [...files].sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
  const begins: { file: string; seq: number }[] = [];
  for (const file of byName) begins.push({ file, seq: (await firstSeqOf(file)) ?? begins.at(-1)?.seq ?? 0 });
  return begins.sort((a, b) => a.seq - b.seq).map(({ file }) => file);
}

async function firstSeqOf(file: string): Promise<number | null> {
  for await (const line of linesOf(file)) return seqOf(line);
  return null;
}
