import { readFile } from 'node:fs/promises';
import { verifyStatement, type StatementCardText, type StatementVerdict, type StatementView } from '@app/billing';
import { CliError, EXIT } from './exit-code';
import { textOf } from './text-file';

const MANIFEST = '.manifest.json';

/** Checks a downloaded statement without a gateway. The other files lie beside the manifest, under the names they were given. */
export async function verifyStatementFiles(manifest: string): Promise<StatementVerdict> {
  if (!manifest.endsWith(MANIFEST)) throw new CliError(EXIT.usage, `Give the file that ends in ${MANIFEST}.`);
  const name = manifest.slice(0, -MANIFEST.length);
  try {
    return await verifyStatement({
      manifest: JSON.parse(await readFile(manifest, 'utf8')) as StatementView,
      bill: textOf(`${name}.csv`),
      digests: textOf(`${name}.digests.csv`),
      rateCards: JSON.parse(await readFile(`${name}.rate-cards.json`, 'utf8')) as StatementCardText[],
    });
  } catch (error) {
    throw new CliError(EXIT.usage, `The files cannot be read: ${(error as Error).message}`);
  }
}
