import type { ModelPrice } from '../pricing/model-price';
import { cost, FORMULAS, type Formula } from '../pricing/pricing';
import { NO_TOKENS, type TokenCounts } from '../pricing/token-counts';
import { malformedUsage, NO_USAGE, type Usage } from '../pricing/usage';

/**
 * How sure the counts are: told by the provider (`actual`), counted by us from what was seen (`estimated`), the worst case
 * because nothing was seen (`unconfirmed`), or the worst case because what was told cannot be true (`quarantined`).
 * A `correction` names the row it corrects.
 */
export const LEDGER_STATUSES = ['actual', 'estimated', 'unconfirmed', 'quarantined', 'correction'] as const;
export type LedgerStatus = (typeof LEDGER_STATUSES)[number];

/** How the call ended: whole, left by the client, broken by the provider, or nobody knows. */
export const LEDGER_OUTCOMES = ['completed', 'aborted', 'failed', 'unknown'] as const;
export type LedgerOutcome = (typeof LEDGER_OUTCOMES)[number];

/** What is known of a call when its hold is made: plain JSON, enough to bill it at its worst if nothing is learnt after. */
export interface LedgerDraft {
  readonly tenantId: string;
  readonly tokenId: string;
  /** The person behind the call, where known. */
  readonly subject: string | null;
  /** Whom the caller says it acts for, at most 80 characters; nobody has checked it. */
  readonly endUser: string | null;
  /** The public name that was asked for and is priced. */
  readonly model: string;
  readonly provider: string;
  readonly rateCard: number;
  readonly formula: Formula;
  readonly worst: Usage;
}

/** One call as it is billed; never changed, once it is in the ledger. */
export interface LedgerRow extends Omit<LedgerDraft, 'worst'>, Usage {
  /** 32 hex digits of a UUID version 7, made at most an hour before `at`; outside it is `req_<id>`. */
  readonly id: string;
  readonly at: Date;
  readonly providerRequestId: string | null;
  readonly status: LedgerStatus;
  readonly outcome: LedgerOutcome;
  readonly costNanos: bigint;
  /** Why it is not `actual`: a code such as `no_answer`. */
  readonly reason: string | null;
}

/** A row as a journal keeps it. */
export interface LedgerRowJson extends Omit<LedgerRow, 'at' | 'costNanos'> {
  readonly at: string;
  readonly costNanos: string;
}

/** The row of a call that was reserved and perhaps sent, and of which nothing more is known. */
export function unconfirmedRow(draft: LedgerDraft, hold: { id: string; at: Date; costNanos: bigint }): LedgerRow {
  const { worst, ...known } = draft;
  const { id, at, costNanos } = hold;
  return {
    ...known,
    ...worstOf(worst),
    endUser: known.endUser ?? null,
    id,
    at,
    costNanos,
    providerRequestId: null,
    status: 'unconfirmed',
    outcome: 'unknown',
    reason: 'process_died',
  };
}

/** Drafts in a journal of formula 1 have bare counts, and what was not counted then was not there. */
const worstOf = (worst: Usage | Partial<TokenCounts>): Usage =>
  'counts' in worst ? worst : { ...NO_USAGE, counts: { ...NO_TOKENS, ...worst } };

/** A row as JSON, without what its hold knows of it: its id, its time and its cost. */
export const entryJson = ({ id: _, at: __, costNanos: ___, ...entry }: LedgerRow): string => JSON.stringify(entry);

export const rowToJson = (row: LedgerRow): LedgerRowJson => ({
  ...row,
  at: row.at.toISOString(),
  costNanos: String(row.costNanos),
});

/**
 * A row of a journal, also of one that was written before there were end users, fees, service tiers and audio.
 * @throws TypeError when it is not a row: journals are checksummed, so that is a defect and not bad luck.
 */
export function rowFromJson(json: unknown): LedgerRow {
  const { at, costNanos, counts, ...rest } = json as LedgerRowJson;
  const { endUser = null, webSearches = 0, serviceTier = null } = rest as Partial<LedgerRowJson>;
  const { audioInput = 0, audioOutput = 0 } = (counts ?? {}) as Partial<TokenCounts>;
  const row: LedgerRow = {
    ...rest,
    // Journals of earlier versions do not tell.
    reason: rest.reason ?? null,
    endUser,
    webSearches,
    serviceTier,
    counts: { ...counts, audioInput, audioOutput },
    at: new Date(at),
    costNanos: /^\d{1,19}$/.test(costNanos) ? BigInt(costNanos) : -1n,
  };
  const wrong = malformed(row);
  if (wrong) throw new TypeError(`not a ledger row: ${wrong}`);
  return row;
}

const INT8_MAX = 2n ** 63n - 1n;

/** What keeps a row from being a row at all, or undefined. */
function malformed(row: LedgerRow): string | undefined {
  const { id, at, costNanos, status, outcome, endUser } = row;
  if (!/^[0-9a-f]{32}$/.test(id)) return 'its id is not 32 hex digits';
  if (Number.isNaN(at.getTime())) return 'its time is not an instant';
  if (!LEDGER_STATUSES.includes(status) || !LEDGER_OUTCOMES.includes(outcome))
    return 'its status or outcome is unknown';
  const wrong = malformedUsage(row);
  if (wrong) return wrong;
  if (costNanos < 0n || costNanos > INT8_MAX) return 'its cost is not an amount';
  if (![row.tenantId, row.tokenId, row.model, row.provider].every((text) => typeof text === 'string'))
    return 'tenant, token, model or provider is missing';
  if (row.reason !== null && !/^[a-z_]{1,40}$/.test(row.reason)) return 'its reason is no code';
  if (endUser !== null && typeof endUser !== 'string') return 'its end user is not a name';
  return undefined;
}

/** A rule that a row breaks. */
export interface BrokenRule {
  /** Stands in the row. */
  readonly reason: 'malformed' | 'formula_unknown' | 'model_not_priced' | 'cost_mismatch';
  /** The same for people. */
  readonly message: string;
}

/**
 * The first rule a row breaks, or undefined. A row that breaks one is booked as `quarantined`, never dropped and never
 * billed as if it were right.
 * @param price of the row's model for its tenant under the row's card; undefined when there is none
 */
export function checkRow(row: LedgerRow, price: ModelPrice | undefined): BrokenRule | undefined {
  const wrong = malformed(row);
  if (wrong) return { reason: 'malformed', message: wrong };
  if (!FORMULAS.includes(row.formula))
    return { reason: 'formula_unknown', message: `formula ${String(row.formula)} is not known` };
  if (!price) return { reason: 'model_not_priced', message: `rate card ${row.rateCard} does not price ${row.model}` };
  const due = cost(price, row, row.formula);
  if (due === row.costNanos) return undefined;
  return { reason: 'cost_mismatch', message: `its cost is ${row.costNanos} nano-units and should be ${due}` };
}
