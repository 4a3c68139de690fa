import { formatNanos } from '@app/platform';
import type { TokenClass } from '../pricing/token-counts';
import type { Column } from './csv';
import { daysOf, type Period } from './period';
import type { Read, Selection, Sums } from './reading';
import { selectByModel, selectByToken, selectDetail, selectTenants, type RollUpRow } from './report.queries';
import { requestId, type DetailRow } from './usage-record';

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

const DETAIL_BATCH = 2_000;
const TENANT_BATCH = 50;

const tokenColumns: readonly Column<Readonly<Record<TokenClass, bigint>>>[] = [
  { name: 'input_tokens', cell: ({ input }) => String(input) },
  { name: 'cache_read_tokens', cell: ({ cacheRead }) => String(cacheRead) },
  { name: 'cache_write_5m_tokens', cell: ({ cacheWrite5m }) => String(cacheWrite5m) },
  { name: 'cache_write_1h_tokens', cell: ({ cacheWrite1h }) => String(cacheWrite1h) },
  { name: 'output_tokens', cell: ({ output }) => String(output) },
  { name: 'reasoning_tokens', cell: ({ reasoning }) => String(reasoning) },
];

const costColumns: readonly Column<{ readonly costNanos: bigint; readonly currency: string | null }>[] = [
  { name: 'cost', cell: ({ costNanos }) => formatNanos(costNanos) },
  { name: 'currency', cell: ({ currency }) => currency },
];

const detail: Layout<DetailRow> = {
  schema: 'usage-detail/1',
  columns: [
    { name: 'request_id', cell: ({ id }) => requestId(id) },
    { name: 'time', cell: ({ at }) => at.toISOString() },
    { name: 'tenant', text: true, cell: ({ tenant }) => tenant },
    { name: 'cost_center', text: true, cell: ({ costCenter }) => costCenter },
    { name: 'token_id', text: true, cell: ({ tokenId }) => tokenId },
    { name: 'token_label', text: true, cell: ({ tokenLabel }) => tokenLabel },
    { name: 'subject', text: true, cell: ({ subject }) => subject },
    { name: 'model', text: true, cell: ({ model }) => model },
    { name: 'provider', text: true, cell: ({ provider }) => provider },
    { name: 'provider_request_id', text: true, cell: ({ providerRequestId }) => providerRequestId },
    ...tokenColumns,
    { name: 'rate_card', cell: ({ rateCard }) => String(rateCard) },
    { name: 'formula', cell: ({ formula }) => String(formula) },
    ...costColumns,
    { name: 'status', cell: ({ status }) => status },
    { name: 'outcome', cell: ({ outcome }) => outcome },
    { name: 'corrects_request_id', cell: ({ corrects }) => corrects && requestId(corrects) },
  ],
  counted: (row) => ({ ...row, requests: 1n }),
  async *batches(read, selection) {
    for (let last: DetailRow | undefined; ;) {
      const rows = await read((tx) => selectDetail(tx, selection, last, DETAIL_BATCH));
      if (rows.length > 0) yield rows;
      if (rows.length < DETAIL_BATCH) return;
      last = rows.at(-1);
    }
  },
};

const daily: Layout<RollUpRow & { readonly date: string }> = {
  schema: 'usage-daily/1',
  columns: [
    { name: 'day', cell: ({ date }) => date },
    { name: 'tenant', text: true, cell: ({ tenant }) => tenant },
    { name: 'cost_center', text: true, cell: ({ costCenter }) => costCenter },
    { name: 'model', text: true, cell: ({ model }) => model },
    { name: 'requests', cell: ({ requests }) => String(requests) },
    ...tokenColumns,
    ...costColumns,
  ],
  counted: (row) => row,
  async *batches(read, selection, timeZone) {
    for (const { date, ...day } of daysOf(selection, timeZone)) {
      const rows = await read((tx) => selectByModel(tx, { ...selection, ...day }));
      if (rows.length > 0) yield rows.map((row) => ({ ...row, date }));
    }
  },
};

const period: Layout<RollUpRow & { readonly period: Period }> = {
  schema: 'usage-period/1',
  columns: [
    { name: 'period_start', cell: (row) => row.period.from.toISOString() },
    { name: 'period_end', cell: (row) => row.period.to.toISOString() },
    { name: 'tenant', text: true, cell: ({ tenant }) => tenant },
    { name: 'cost_center', text: true, cell: ({ costCenter }) => costCenter },
    { name: 'token_id', text: true, cell: ({ tokenId }) => tokenId },
    { name: 'token_label', text: true, cell: ({ tokenLabel }) => tokenLabel },
    { name: 'model', text: true, cell: ({ model }) => model },
    { name: 'requests', cell: ({ requests }) => String(requests) },
    ...tokenColumns,
    ...costColumns,
  ],
  counted: (row) => row,
  async *batches(read, selection) {
    const tenants = await read((tx) => selectTenants(tx, selection));
    for (let start = 0; start < tenants.length; start += TENANT_BATCH) {
      const some = tenants.slice(start, start + TENANT_BATCH);
      const rows = await read((tx) => selectByToken(tx, selection, some));
      yield rows.map((row) => ({ ...row, period: selection }));
    }
  },
};

export const LAYOUTS = { detail, daily, period } as const;
