import { byClass, NO_TOKENS, TOKEN_CLASSES, type TokenCounts } from '../pricing/token-counts';
import { NO_USAGE, type Usage } from '../pricing/usage';
import {
  type LedgerEntry,
  type LedgerHead,
  type LedgerKey,
  type LedgerRow,
  malformed,
  malformedKey,
} from './ledger-row';

/** The text of a head, as JSON, and its number, which no other head has. */
export interface WrittenHead {
  readonly number: number;
  readonly json: string;
}

/** Rows as they are booked. */
export interface WrittenRows {
  readonly rows: number;
  /** For each what `rowLine` makes. A journal's lines will do: those are there already, and would have to be written again for every batch. */
  readonly lines: string | Buffer;
  /** Those that lines name, each once. */
  readonly heads: Iterable<WrittenHead>;
  /** Of their times so many that each month has one; in ms since the epoch. */
  readonly timesMs: readonly number[];
}

/**
 * A row as the database reads it, with its end. What the blanks part are what a journal calls its kind, the row's id, its time, the number
 * of its head, the windows it counts in, its cost, its tokens, and the rest of it as JSON; windows and tokens say nothing here.
 * @param text what it leaves out is `null`, or a count of 0
 */
export const rowLine = ({ id, at, costNanos }: LedgerKey, { number }: WrittenHead, text: string): string =>
  `S ${id} ${at.getTime()} ${number} - ${costNanos} - ${text}\n`;

export const headText = (row: LedgerHead): string => {
  const { tenantId, tokenId, subject, endUser, api, model, provider, rateCard, formula } = row;
  return JSON.stringify({ tenantId, tokenId, subject, endUser, api, model, provider, rateCard, formula });
};

/**
 * Put together by hand: it is made for every call, and all of its texts but two are codes.
 * @param listCostNanos what it would cost without the tenant's markup; `null` where that is its cost
 */
export function entryText(entry: LedgerEntry, listCostNanos: bigint | null = null): string {
  const { providerRequestId, status, outcome, reason, savedNanos } = entry;
  let text = `{"status":"${status}","outcome":"${outcome}",`;
  if (reason !== null) text += `"reason":"${reason}",`;
  if (providerRequestId !== null) text += `"providerRequestId":${quoted(providerRequestId)},`;
  // In quotes, because whoever parses a journal would round them.
  if (listCostNanos !== null) text += `"listCostNanos":"${listCostNanos}",`;
  if (savedNanos !== undefined) text += `"savedNanos":"${savedNanos}",`;
  return text + usageMembers(entry);
}

/** As JSON. Providers' ids have nothing that must be escaped, and V8 finds that out more slowly. */
const quoted = (text: string): string => (/^[\w.:-]*$/.test(text) ? `"${text}"` : JSON.stringify(text));

export const usageText = (usage: Usage): string => '{' + usageMembers(usage);

const NAMES: readonly string[] = TOKEN_CLASSES.map((tokenClass) => `"${tokenClass}":`);
const MORE_NAMES: readonly string[] = NAMES.map((name) => `,${name}`);

/** With the end of the object they are the last of. */
function usageMembers({ counts, webSearches, serviceTier }: Usage): string {
  let text = '"counts":{';
  let names = NAMES;
  let place = 0;
  for (const count of byClass(counts)) {
    const name = names[place++] as string;
    if (count === 0) continue;
    text += name + count;
    names = MORE_NAMES;
  }
  text += '}';
  if (webSearches !== 0) text += `,"webSearches":${webSearches}`;
  if (serviceTier !== null) text += `,"serviceTier":${JSON.stringify(serviceTier)}`;
  return text + '}';
}

/** Reads what `usageText` wrote. Whether it is a usage is for `malformed` to say. */
export function usageFromJson(json: unknown): Usage {
  const { counts, ...usage } = json as Partial<Usage>;
  return { ...NO_USAGE, ...usage, counts: { ...NO_TOKENS, ...(counts as Partial<TokenCounts> | undefined) } };
}

type EntryJson = Omit<LedgerEntry, 'savedNanos'> & { readonly savedNanos?: string };

/**
 * A row of a journal.
 * @param json what `entryText` wrote
 * @throws TypeError when it is not a row: journals are checksummed, so that is a defect and not bad luck
 */
export function rowFromJson(head: LedgerHead, json: unknown, { id, at, costNanos }: LedgerKey): LedgerRow {
  const { providerRequestId = null, status, outcome, reason = null, savedNanos } = json as EntryJson;
  // Journals of former versions do not name the API.
  const { tenantId, tokenId, subject, endUser, api = null, model, provider, rateCard, formula } = head;
  const row: LedgerRow = {
    ...{ id, at, costNanos, tenantId, tokenId, subject, endUser, api, model, provider, rateCard, formula },
    ...{ ...usageFromJson(json), providerRequestId, status, outcome, reason },
    ...(savedNanos === undefined ? {} : { savedNanos: BigInt(savedNanos) }),
  };
  const wrong = malformedKey(row) ?? malformed(row);
  if (wrong) throw new TypeError(`not a ledger row: ${wrong}`);
  return row;
}
