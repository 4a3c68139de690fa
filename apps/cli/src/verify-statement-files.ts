import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  verifyStatements,
  type StatementCardText,
  type StatementExport,
  type StatementVerdict,
  type StatementView,
} from '@app/billing';
import { CliError, EXIT } from './exit-code';
import { textOf } from './text-file';

const MANIFEST = '.manifest.json';

/** Checks statements without a gateway, by their manifests. */
export async function verifyStatementFiles(manifests: readonly string[]): Promise<StatementVerdict[]> {
  if (!manifests.every((manifest) => manifest.endsWith(MANIFEST)))
    throw new CliError(EXIT.usage, `Give files that end in ${MANIFEST}.`);
  try {
    return await verifyStatements(await Promise.all(manifests.map(exported)));
  } catch (error) {
    throw new CliError(EXIT.usage, `The files cannot be read: ${(error as Error).message}`);
  }
}

/**
 * The other files lie beside the manifest, under the names that a download or a delivery gave them; a delivery marks all
 * but the bill with an underscore.
 */
async function exported(manifest: string): Promise<StatementExport> {
  const name = manifest.slice(0, -MANIFEST.length);
  return {
    manifest: JSON.parse(await readFile(manifest, 'utf8')) as StatementView,
    bill: () => textOf(join(dirname(name), `${basename(name).replace(/^_/, '')}.csv`)),
    digests: () => textOf(`${name}.digests.csv`),
    rateCards: JSON.parse(await readFile(`${name}.rate-cards.json`, 'utf8')) as StatementCardText[],
  };
}
