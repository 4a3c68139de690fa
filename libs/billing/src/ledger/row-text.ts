import { NO_TOKENS, TOKEN_CLASSES, type TokenCounts } from '../pricing/token-counts';
import { NO_USAGE, type Usage } from '../pricing/usage';
import { type LedgerEntry, type LedgerHead, type LedgerKey, type LedgerRow, malformed } from './ledger-row';

/** JSON texts of a row, for the journal and the database. What they leave out is `null`, or a count of 0. */
export interface RowText {
  /** Of its head. Rows that share one have the same object here, and it is written once for all of them. */
  readonly head: { readonly json: string };
  readonly entry: string;
}

export const rowText = (row: LedgerRow): RowText => ({ head: { json: headText(row) }, entry: entryText(row) });

const headText = (row: LedgerHead): string => {
  const { tenantId, tokenId, subject, endUser, api, model, provider, rateCard, formula } = row;
  return JSON.stringify({ tenantId, tokenId, subject, endUser, api, model, provider, rateCard, formula });
};

/** Put together by hand: it is made for every call, and all of its texts but two are codes. */
export function entryText(entry: LedgerEntry): string {
  const { providerRequestId, status, outcome, reason, savedNanos } = entry;
  return (
    `{"status":"${status}","outcome":"${outcome}"` +
    (reason === null ? '' : `,"reason":"${reason}"`) +
    (providerRequestId === null ? '' : `,"providerRequestId":${JSON.stringify(providerRequestId)}`) +
    // In quotes, because whoever parses a journal would round it.
    (savedNanos === undefined ? '' : `,"savedNanos":"${savedNanos}"`) +
    `${usageMembers(entry)}}`
  );
}

export const usageText = (usage: Usage): string => `{${usageMembers(usage).slice(1)}}`;

function usageMembers({ counts, webSearches, serviceTier }: Usage): string {
  let some = '';
  for (const tokenClass of TOKEN_CLASSES) {
    const count = counts[tokenClass];
    if (count !== 0) some += `${some === '' ? '' : ','}"${tokenClass}":${count}`;
  }
  return (
    `,"counts":{${some}}` +
    (webSearches === 0 ? '' : `,"webSearches":${webSearches}`) +
    (serviceTier === null ? '' : `,"serviceTier":${JSON.stringify(serviceTier)}`)
  );
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
