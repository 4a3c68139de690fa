import { NO_TOKENS, TOKEN_CLASSES, TOKEN_COLUMNS, type TokenClass } from '../pricing/token-counts';
import { original } from '../reports/csv';
import { linesOf, type Line } from './provider-usage';

/** What a call should be billed at, because its provider has counted it so. */
export interface Proposal {
  readonly requestId: string;
  readonly providerRequestId: string;
  /** All of them, in disjoint classes. */
  readonly tokens: Readonly<Record<TokenClass, number>>;
}

export interface Proposed {
  readonly proposals: Proposal[];
  /** The provider's ids of requests whose calls are in none of the bills. */
  readonly unbilled: string[];
}

type Counts = Readonly<Record<TokenClass, number>>;

interface Billed {
  readonly requestId: string;
  readonly providerRequestId: string;
  counts: Counts;
  /** Whether the bills have the request itself, and not only corrections of it. */
  isWhole: boolean;
}

/**
 * Finds the calls of our bills (layout detail, or statements) that their provider counts otherwise, request by request. The
 * provider's file has a line for each request: `provider_request_id`, and our columns of tokens; a column that is missing
 * means none.
 * @throws RangeError for files that are neither, naming line and column
 */
export async function propose(
  requests: AsyncIterable<string>,
  bills: readonly AsyncIterable<string>[],
): Promise<Proposed> {
  const theirs = await readRequests(requests);
  const ours = new Map<string, Billed>();
  for (const bill of bills)
    for await (const { columns, line } of linesOf(bill)) {
      if (!columns.includes('corrects_request_id'))
        throw new RangeError('the bill is none of the layout detail and no statement');
      const providerRequestId = original(line.text('provider_request_id'));
      if (!theirs.has(providerRequestId)) continue;
      const corrected = line.text('corrects_request_id');
      const requestId = corrected || line.text('request_id');
      const billed = ours.get(requestId) ?? { requestId, providerRequestId, counts: NO_TOKENS, isWhole: false };
      ours.set(requestId, billed);
      billed.counts = sum(billed.counts, countsOf(columns, line.signed));
      if (corrected === '') billed.isWhole = true;
    }
  const billed = [...ours.values()].filter(({ isWhole }) => isWhole);
  const proposals = billed.flatMap(({ requestId, providerRequestId, counts }) => {
    const tokens = theirs.get(providerRequestId) as Counts;
    const agrees = TOKEN_CLASSES.every((tokenClass) => tokens[tokenClass] === counts[tokenClass]);
    return agrees ? [] : [{ requestId, providerRequestId, tokens }];
  });
  const known = new Set(billed.map(({ providerRequestId }) => providerRequestId));
  return { proposals, unbilled: [...theirs.keys()].filter((id) => !known.has(id)) };
}

async function readRequests(file: AsyncIterable<string>): Promise<ReadonlyMap<string, Counts>> {
  const requests = new Map<string, Counts>();
  for await (const { columns, line } of linesOf(file)) {
    if (!columns.includes('provider_request_id') || !columns.includes('output_tokens'))
      throw new RangeError(
        'the export has no line for each request: provider_request_id, input_tokens, output_tokens, …',
      );
    const id = line.text('provider_request_id');
    if (id === '') continue;
    if (requests.has(id)) throw new RangeError(`the export has the request ${id} twice`);
    requests.set(id, countsOf(columns, line.number));
  }
  return requests;
}

const countsOf = (columns: readonly string[], number: Line['number']): Counts =>
  Object.fromEntries(
    TOKEN_CLASSES.map((tokenClass) => {
      const column = TOKEN_COLUMNS[tokenClass];
      return [tokenClass, columns.includes(column) ? number(column) : 0];
    }),
  ) as Record<TokenClass, number>;

const sum = (a: Counts, b: Counts): Counts =>
  Object.fromEntries(TOKEN_CLASSES.map((tokenClass) => [tokenClass, a[tokenClass] + b[tokenClass]])) as Record<
    TokenClass,
    number
  >;
