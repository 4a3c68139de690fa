import { formatNanos } from '@app/platform';
import type { Column } from './csv';
import { focus } from './focus';
import { costColumns, savingsColumns, usageColumns, type Layout } from './layout';
import { weeksOf, type Day, type Period } from './period';
import {
  selectByCostCenter,
  selectByModel,
  selectByToken,
  selectDetail,
  selectTenants,
  type RollUpRow,
} from './report.queries';
import { requestId, requestsOf, type DetailRow } from './usage-record';

const DETAIL_BATCH = 2_000;
const TENANT_BATCH = 50;

export const DETAIL_COLUMNS: readonly Column<DetailRow>[] = [
  { name: 'request_id', cell: ({ id }) => requestId(id) },
  { name: 'time', cell: ({ at }) => at.toISOString() },
  { name: 'tenant', text: true, cell: ({ tenant }) => tenant },
  { name: 'cost_center', text: true, cell: ({ costCenter }) => costCenter },
  { name: 'token_id', text: true, cell: ({ tokenId }) => tokenId },
  { name: 'token_label', text: true, cell: ({ tokenLabel }) => tokenLabel },
  { name: 'subject', text: true, cell: ({ subject }) => subject },
  { name: 'end_user', text: true, cell: ({ endUser }) => endUser },
  { name: 'model', text: true, cell: ({ model }) => model },
  { name: 'provider', text: true, cell: ({ provider }) => provider },
  { name: 'provider_request_id', text: true, cell: ({ providerRequestId }) => providerRequestId },
  ...usageColumns,
  { name: 'service_tier', text: true, cell: ({ serviceTier }) => serviceTier },
  { name: 'rate_card', cell: ({ rateCard }) => String(rateCard) },
  { name: 'formula', cell: ({ formula }) => String(formula) },
  ...costColumns,
  { name: 'status', cell: ({ status }) => status },
  { name: 'outcome', cell: ({ outcome }) => outcome },
  { name: 'corrects_request_id', cell: ({ corrects }) => corrects && requestId(corrects) },
  { name: 'reason', text: true, cell: ({ reason }) => reason },
];

const detail: Layout<DetailRow> = {
  schema: 'usage-detail/3',
  // Statements have all but the last two: what was saved is not billed, and by which API a call came changes no bill.
  columns: [
    ...DETAIL_COLUMNS,
    { name: 'saved', cell: ({ savedNanos }) => (savedNanos === null ? null : formatNanos(savedNanos)) },
    { name: 'api', cell: ({ api }) => api },
  ],
  counted: (row) => ({ ...row, requests: requestsOf(row) }),
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
  schema: 'usage-daily/2',
  columns: [
    { name: 'day', cell: ({ date }) => date },
    { name: 'tenant', text: true, cell: ({ tenant }) => tenant },
    { name: 'cost_center', text: true, cell: ({ costCenter }) => costCenter },
    { name: 'model', text: true, cell: ({ model }) => model },
    { name: 'requests', cell: ({ requests }) => String(requests) },
    ...usageColumns,
    ...costColumns,
    ...savingsColumns,
  ],
  counted: (row) => row,
  async *batches(read, selection, timeZone) {
    for (const { from, to, days } of weeksOf(selection, timeZone)) {
      const rows = await read((tx) => selectByModel(tx, { ...selection, from, to }, days));
      if (rows.length > 0) yield rows.map(({ day, ...row }) => ({ ...row, date: (days[day] as Day).date }));
    }
  },
};

const period: Layout<RollUpRow & { readonly period: Period }> = {
  schema: 'usage-period/2',
  columns: [
    { name: 'period_start', cell: (row) => row.period.from.toISOString() },
    { name: 'period_end', cell: (row) => row.period.to.toISOString() },
    { name: 'tenant', text: true, cell: ({ tenant }) => tenant },
    { name: 'cost_center', text: true, cell: ({ costCenter }) => costCenter },
    { name: 'token_id', text: true, cell: ({ tokenId }) => tokenId },
    { name: 'token_label', text: true, cell: ({ tokenLabel }) => tokenLabel },
    { name: 'model', text: true, cell: ({ model }) => model },
    { name: 'requests', cell: ({ requests }) => String(requests) },
    ...usageColumns,
    ...costColumns,
    ...savingsColumns,
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

const chargeback: Layout<RollUpRow & { readonly period: Period }> = {
  schema: 'usage-chargeback/2',
  columns: [
    { name: 'period_start', cell: (row) => row.period.from.toISOString() },
    { name: 'period_end', cell: (row) => row.period.to.toISOString() },
    { name: 'cost_center', text: true, cell: ({ costCenter }) => costCenter },
    { name: 'tenant', text: true, cell: ({ tenant }) => tenant },
    { name: 'requests', cell: ({ requests }) => String(requests) },
    ...usageColumns,
    ...costColumns,
    ...savingsColumns,
  ],
  counted: (row) => row,
  async *batches(read, selection) {
    const rows = await read((tx) => selectByCostCenter(tx, selection));
    if (rows.length > 0) yield rows.map((row) => ({ ...row, period: selection }));
  },
};

export const LAYOUTS = { detail, daily, period, chargeback, focus } as const;
