import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { verifyStatement, type StatementCardText, type StatementVerdict, type StatementView } from '@app/billing';
import { CliError, EXIT } from './exit-code';
import { textOf } from './text-file';

const MANIFEST = '.manifest.json';

/**
 * Checks a statement without a gateway. The other files lie beside the manifest, under the names that a download or a
 * delivery gave them; a delivery marks all but the bill with an underscore.
 */
export async function verifyStatementFiles(manifest: string): Promise<StatementVerdict> {
  if (!manifest.endsWith(MANIFEST)) throw new CliError(EXIT.usage, `Give the file that ends in ${MANIFEST}.`);
  const name = manifest.slice(0, -MANIFEST.length);
  try {
    return await verifyStatement({
      manifest: JSON.parse(await readFile(manifest, 'utf8')) as StatementView,
      bill: textOf(join(dirname(name), `${basename(name).replace(/^_/, '')}.csv`)),
      digests: textOf(`${name}.digests.csv`),
      rateCards: JSON.parse(await readFile(`${name}.rate-cards.json`, 'utf8')) as StatementCardText[],
    });
  } catch (error) {
    throw new CliError(EXIT.usage, `The files cannot be read: ${(error as Error).message}`);
  }
}
