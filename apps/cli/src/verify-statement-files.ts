import { basename, dirname, join } from 'node:path';
import {
  verifyStatements,
  type StatementCardText,
  type StatementExport,
  type StatementVerdict,
  type StatementView,
} from '@app/billing';
import { CliError, EXIT } from './exit-code';
import { readText, textOf } from './text-file';

const MANIFEST = '.manifest.json';

/** Checks statements without a gateway, by their manifests. */
export async function verifyStatementFiles(manifests: readonly string[]): Promise<StatementVerdict[]> {
  if (!manifests.every((manifest) => manifest.endsWith(MANIFEST)))
    throw new CliError(EXIT.usage, `Give files that end in ${MANIFEST}.`);
  try {
    return await verifyStatements(manifests.map(exported));
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(EXIT.usage, `The files cannot be read: ${(error as Error).message}`);
  }
}

/**
 * The other files lie beside the manifest, under the names that a download or a delivery gave them; a delivery marks all
 * but the bill with an underscore.
 */
function exported(manifest: string): StatementExport {
  const name = manifest.slice(0, -MANIFEST.length);
  return {
    manifest: json<StatementView>(manifest),
    bill: () => textOf(join(dirname(name), `${basename(name).replace(/^_/, '')}.csv`)),
    digests: () => textOf(`${name}.digests.csv`),
    rateCards: json<StatementCardText[]>(`${name}.rate-cards.json`),
    fileName: basename(name),
  };
}

/** Of many files it is said which one is none. */
function json<T>(file: string): T {
  const text = readText(file);
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} is no JSON: ${(error as Error).message}`);
  }
}
