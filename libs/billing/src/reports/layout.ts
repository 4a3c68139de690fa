import { formatNanos } from '@app/platform';
import type { TokenClass } from '../pricing/token-counts';
import type { Column } from './csv';
import type { Selection } from '../ledger/selection';
import type { Read, Savings, Sums } from './reading';

/**
 * A form of the report. Its schema's number rises when a column is renamed, removed or given another meaning; columns
 * added at the end do not change it. Rows come in an order that depends on nothing but themselves.
 */
export interface Layout<Row> {
  readonly schema: string;
  readonly columns: readonly Column<Row>[];
  /** What a row counts for in the totals. */
  readonly counted: (row: Row) => Sums;
  /** Reads a bounded number of rows at a time, each batch in a transaction of its own. */
  readonly batches: (read: Read, selection: Selection, timeZone: string) => AsyncGenerator<readonly Row[]>;
}

/** Tokens by class, and what is billed by the piece. */
export const usageColumns: readonly Column<Readonly<Record<TokenClass | 'webSearches', bigint>>>[] = [
  { name: 'input_tokens', cell: ({ input }) => String(input) },
  { name: 'audio_input_tokens', cell: ({ audioInput }) => String(audioInput) },
  { name: 'cache_read_tokens', cell: ({ cacheRead }) => String(cacheRead) },
  { name: 'cache_write_5m_tokens', cell: ({ cacheWrite5m }) => String(cacheWrite5m) },
  { name: 'cache_write_1h_tokens', cell: ({ cacheWrite1h }) => String(cacheWrite1h) },
  { name: 'output_tokens', cell: ({ output }) => String(output) },
  { name: 'audio_output_tokens', cell: ({ audioOutput }) => String(audioOutput) },
  { name: 'reasoning_tokens', cell: ({ reasoning }) => String(reasoning) },
  { name: 'web_searches', cell: ({ webSearches }) => String(webSearches) },
];

/** What a row costs, before the tenant's markup or discount and after it. */
interface Costs {
  readonly listCostNanos: bigint;
  readonly costNanos: bigint;
  readonly currency: string | null;
}

export const costColumns: readonly Column<Costs>[] = [
  { name: 'list_cost', cell: ({ listCostNanos }) => formatNanos(listCostNanos) },
  { name: 'cost', cell: ({ costNanos }) => formatNanos(costNanos) },
  { name: 'currency', cell: ({ currency }) => currency },
];

/** What the response cache answered; no part of the bill. */
export const savingsColumns: readonly Column<Savings>[] = [
  { name: 'cached_requests', cell: ({ cachedRequests }) => String(cachedRequests) },
  { name: 'saved', cell: ({ savedNanos }) => formatNanos(savedNanos) },
];
