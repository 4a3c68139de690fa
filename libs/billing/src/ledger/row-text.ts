import { NO_TOKENS, TOKEN_CLASSES, type TokenCounts } from '../pricing/token-counts';
import { NO_USAGE, type Usage } from '../pricing/usage';
import { type LedgerEntry, type LedgerHead, type LedgerKey, type LedgerRow, malformed } from './ledger-row';

/** A row as it is booked. */
export interface WrittenRow {
  readonly id: string;
  /** In ms since the epoch. */
  readonly atMs: number;
  readonly costNanos: bigint;
  /** With the text of its head, as JSON. Rows that share one have the same object here, and it is written once for all of them. */
  readonly head: { readonly json: string };
  /** The rest of it, as JSON, for the journal and the database. What it leaves out is `null`, or a count of 0. */
  readonly text: string;
}

export const headText = (row: LedgerHead): string => {
  const { tenantId, tokenId, subject, endUser, api, model, provider, rateCard, formula } = row;
  return JSON.stringify({ tenantId, tokenId, subject, endUser, api, model, provider, rateCard, formula });
};

/**
 * Put together by hand: it is made for every call, and all of its texts but two are codes. Joined, because what is added up stays in
 * pieces, and these would wait for the database with it.
 * @param listCostNanos what it would cost without the tenant's markup; `null` where that is its cost
 */
export function entryText(entry: LedgerEntry, listCostNanos: bigint | null = null): string {
  const { providerRequestId, status, outcome, reason, savedNanos } = entry;
  const members = [`"status":"${status}","outcome":"${outcome}"`];
  if (reason !== null) members.push(`"reason":"${reason}"`);
  if (providerRequestId !== null) members.push(`"providerRequestId":${JSON.stringify(providerRequestId)}`);
  // In quotes, because whoever parses a journal would round them.
  if (listCostNanos !== null) members.push(`"listCostNanos":"${listCostNanos}"`);
  if (savedNanos !== undefined) members.push(`"savedNanos":"${savedNanos}"`);
  addUsage(members, entry);
  return `{${members.join(',')}}`;
}

export function usageText(usage: Usage): string {
  const members: string[] = [];
  addUsage(members, usage);
  return `{${members.join(',')}}`;
}

function addUsage(members: string[], { counts, webSearches, serviceTier }: Usage): void {
  let some = '';
  for (const tokenClass of TOKEN_CLASSES) {
    const count = counts[tokenClass];
    if (count !== 0) some += `${some === '' ? '' : ','}"${tokenClass}":${count}`;
  }
  members.push(`"counts":{${some}}`);
  if (webSearches !== 0) members.push(`"webSearches":${webSearches}`);
  if (serviceTier !== null) members.push(`"serviceTier":${JSON.stringify(serviceTier)}`);
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
  const wrong = malformed(row);
  if (wrong) throw new TypeError(`not a ledger row: ${wrong}`);
  return row;
}
