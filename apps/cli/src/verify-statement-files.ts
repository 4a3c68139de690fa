import { basename, dirname, join, resolve } from 'node:path';
import {
  verifyStatements,
  type StatementCardText,
  type StatementExport,
  type StatementVerdict,
  type StatementView,
} from '@app/billing';
import { CliError, EXIT } from './exit-code';
import { readText, textWithNulsOf } from './text-file';

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
    manifest: shaped<StatementView>(manifest, MANIFEST_MEMBERS),
    bill: () => textWithNulsOf(join(dirname(name), `${basename(name).replace(/^_/, '')}.csv`)),
    digests: () => textWithNulsOf(`${name}.digests.csv`),
    rateCards: cardsOf(`${name}.rate-cards.json`),
    fileName: basename(name),
    folderName: basename(dirname(resolve(name))),
  };
}

type Members = Readonly<Record<string, (value: unknown) => boolean>>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isInstant = (value: unknown): boolean => !Number.isNaN(Date.parse(String(value)));
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the check builds on. Values that are wrong it finds by itself; what is none cannot be compared. */
const MANIFEST_MEMBERS: Members = {
  schema: isText,
  id: isText,
  period: (value) => /^\d{4}-(0[1-9]|1[0-2])$/.test(String(value)),
  tenant: (value) => value === null || isText(value),
  timeZone: isTimeZone,
  from: isInstant,
  to: isInstant,
  asOf: isInstant,
  closedAt: isInstant,
  rateCards: (value) => Array.isArray(value) && value.every(isObject),
  totals: (value) => isObject(value) && isObject(value['tokens']),
};

const CARD_MEMBERS: Members = { version: Number.isInteger, sha256: isText, document: isText };

function isTimeZone(value: unknown): boolean {
  try {
    return isText(value) && new Intl.DateTimeFormat('en', { timeZone: String(value) }) !== undefined;
  } catch {
    return false;
  }
}

function cardsOf(file: string): StatementCardText[] {
  const cards = json(file);
  if (!Array.isArray(cards)) throw new CliError(EXIT.usage, `${file} holds no list of rate cards.`);
  return cards.map((card) => withMembers<StatementCardText>(file, card, CARD_MEMBERS));
}

const shaped = <T>(file: string, members: Members): T => withMembers<T>(file, json(file), members);

function withMembers<T>(file: string, value: unknown, members: Members): T {
  const lacking = Object.keys(members).find((name) => !isObject(value) || members[name]?.(value[name]) !== true);
  if (lacking !== undefined)
    throw new CliError(
      EXIT.usage,
      `${file} is not as it was exported: its member "${lacking}" is missing, or no such thing.`,
    );
  return value as T;
}

/** Of many files it is said which one is none. */
function json(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} is no JSON: ${(error as Error).message}`);
  }
}
