import { formatNanos } from '@app/platform';
import { apiOf, type LedgerApi } from '../ledger/api-codes';
import type { LedgerOutcome, LedgerStatus } from '../ledger/ledger-row';
import type { TokenClass } from '../pricing/token-counts';
import type { Period } from './period';
import type { Savings, Sums } from './reading';
import type { UsageRecord, UsageSums, UsageTotals } from './usage.dto';

/** A row of the ledger as reports read it. */
export interface DetailRow extends Readonly<Record<TokenClass, bigint>> {
  /** 32 hex digits. */
  readonly id: string;
  readonly at: Date;
  readonly tenant: string;
  readonly costCenter: string | null;
  readonly tokenId: string;
  readonly tokenLabel: string | null;
  readonly subject: string | null;
  readonly endUser: string | null;
  readonly api: LedgerApi | null;
  readonly model: string;
  readonly provider: string;
  readonly providerRequestId: string | null;
  readonly rateCard: number;
  readonly formula: number;
  readonly webSearches: bigint;
  readonly serviceTier: string | null;
  readonly listCostNanos: bigint;
  readonly costNanos: bigint;
  /** `null` where it was not answered from the response cache. */
  readonly savedNanos: bigint | null;
  readonly currency: string | null;
  readonly status: LedgerStatus;
  readonly outcome: LedgerOutcome;
  readonly corrects: string | null;
  /** A code, or where it is a correction the words of whoever made it. */
  readonly reason: string | null;
}

/** The columns of a `DetailRow`, from `l`. */
export const DETAIL = `replace(l.id::text, '-', '') AS id, l.at, l.tenant_id AS tenant, l.cost_center AS "costCenter",
  l.token_id AS "tokenId", k.label AS "tokenLabel", l.subject, l.end_user AS "endUser", ${apiOf('l.api')} AS api, l.model, l.provider, l.provider_request_id AS "providerRequestId",
  l.input_tokens AS input, l.cache_read_tokens AS "cacheRead", l.cache_write_5m_tokens AS "cacheWrite5m",
  l.cache_write_1h_tokens AS "cacheWrite1h", l.output_tokens AS output, l.reasoning_tokens AS reasoning,
  l.audio_input_tokens AS "audioInput", l.audio_output_tokens AS "audioOutput",
  l.web_searches::bigint AS "webSearches", l.service_tier AS "serviceTier", l.rate_card AS "rateCard", l.formula,
  coalesce(l.list_cost_nanos, l.cost_nanos) AS "listCostNanos", l.cost_nanos AS "costNanos", l.saved_nanos AS "savedNanos", c.currency, l.status, l.outcome,
  replace(l.corrects::text, '-', '') AS corrects, l.reason`;

/** Joins to `l` what its columns name by id only. */
export const LABELS = `LEFT JOIN tokens k ON k.id = l.token_id LEFT JOIN rate_cards c ON c.version = l.rate_card`;

export const requestId = (id: string): string => `req_${id}`;

/** The time in it has 48 bits; real ones begin with a zero until the year 2527. */
const REQUEST_ID = /^req_(0[0-9a-f]{11}7[0-9a-f]{19})$/;

/** The id of the ledger's row, of a request id; undefined for what is none. */
export const ledgerId = (text: string): string | undefined => REQUEST_ID.exec(text)?.[1];

const HOUR_MS = 3_600_000;

/** Between which instants the row of an id (32 hex digits) is: an id tells its time to within an hour. */
export function timesOf(id: string): Period {
  const made = parseInt(id.slice(0, 12), 16);
  return { from: new Date(made - HOUR_MS), to: new Date(made + HOUR_MS) };
}

/** How many calls a row stands for: a correction is none. */
export const requestsOf = ({ status }: Pick<DetailRow, 'status'>): bigint => (status === 'correction' ? 0n : 1n);

type Tokens = Readonly<Record<TokenClass, bigint>>;

const tokens = (of: Tokens): UsageSums['tokens'] => ({
  input: Number(of.input),
  audioInput: Number(of.audioInput),
  cacheRead: Number(of.cacheRead),
  cacheWrite5m: Number(of.cacheWrite5m),
  cacheWrite1h: Number(of.cacheWrite1h),
  output: Number(of.output),
  audioOutput: Number(of.audioOutput),
  reasoning: Number(of.reasoning),
});

export const sumsView = (sums: Sums): UsageSums => ({
  requests: Number(sums.requests),
  tokens: tokens(sums),
  webSearches: Number(sums.webSearches),
  listCost: formatNanos(sums.listCostNanos),
  cost: formatNanos(sums.costNanos),
});

export const totalsView = (group: Sums & Savings): UsageTotals => ({
  ...sumsView(group),
  cachedRequests: Number(group.cachedRequests),
  saved: formatNanos(group.savedNanos),
});

export const recordView = (row: DetailRow): UsageRecord => ({
  requestId: requestId(row.id),
  at: row.at.toISOString(),
  tenant: row.tenant,
  costCenter: row.costCenter,
  tokenId: row.tokenId,
  tokenLabel: row.tokenLabel,
  subject: row.subject,
  endUser: row.endUser,
  api: row.api,
  model: row.model,
  provider: row.provider,
  providerRequestId: row.providerRequestId,
  tokens: tokens(row),
  webSearches: Number(row.webSearches),
  serviceTier: row.serviceTier,
  rateCard: row.rateCard,
  formula: row.formula,
  listCost: formatNanos(row.listCostNanos),
  cost: formatNanos(row.costNanos),
  saved: row.savedNanos === null ? null : formatNanos(row.savedNanos),
  currency: row.currency,
  status: row.status,
  outcome: row.outcome,
  corrects: row.corrects && requestId(row.corrects),
  reason: row.reason,
});
