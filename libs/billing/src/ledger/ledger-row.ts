import { isLedgerApi, type LedgerApi } from './api-codes';
import type { ModelPrice } from '../pricing/model-price';
import { cost, FORMULAS, type Formula } from '../pricing/pricing';
import { malformedUsage, type Usage } from '../pricing/usage';

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

/** What rows of the same caller, model and price have in common. */
export interface LedgerHead {
  readonly tenantId: string;
  readonly tokenId: string;
  /** The person behind the call, where known. */
  readonly subject: string | null;
  /** Whom the caller says it acts for, at most 80 characters; nobody has checked it. */
  readonly endUser: string | null;
  /** The model API that was called; `null` of rows that do not say. */
  readonly api: LedgerApi | null;
  /** The public name that was asked for and is priced. */
  readonly model: string;
  readonly provider: string;
  readonly rateCard: number;
  readonly formula: Formula;
}

/** What a row alone says of how its call went. */
export interface LedgerEntry extends Usage {
  readonly providerRequestId: string | null;
  readonly status: LedgerStatus;
  readonly outcome: LedgerOutcome;
  /** Why it is not `actual`: a code such as `no_answer`; or why nothing was used, see `CACHED`. */
  readonly reason: string | null;
  /** Of a call that was answered from the response cache, what the same answer had cost; the call itself used nothing. */
  readonly savedNanos?: bigint | undefined;
}

/** The reason in the row of a call that was answered from the response cache. */
export const CACHED = 'cached';

/** What the hold of a call knows. */
export interface LedgerKey {
  /** 32 hex digits of a UUID version 7, made at most an hour before `at`; outside it is `req_<id>`. */
  readonly id: string;
  readonly at: Date;
  readonly costNanos: bigint;
}

/** One call as it is billed; never changed, once it is in the ledger. */
export interface LedgerRow extends LedgerHead, LedgerEntry, LedgerKey {}

/** Of a call that was reserved and perhaps sent, and of which nothing more is known: its worst case. */
export const unconfirmedEntry = (worst: Usage): LedgerEntry => ({
  ...worst,
  providerRequestId: null,
  status: 'unconfirmed',
  outcome: 'unknown',
  reason: 'process_died',
});

const INT8_MAX = 2n ** 63n - 1n;

const isAmount = (nanos: bigint): boolean => nanos >= 0n && nanos <= INT8_MAX;

/** What keeps the key of a row from being one, or undefined. */
export function malformedKey({ id, at }: LedgerKey): string | undefined {
  if (!/^[0-9a-f]{32}$/.test(id)) return 'its id is not 32 hex digits';
  if (Number.isNaN(at.getTime())) return 'its time is not an instant';
  return undefined;
}

/** What keeps a row, whatever its key, from being one at all, or undefined. */
export function malformed(row: LedgerRow): string | undefined {
  const { costNanos, status, outcome, endUser, api, savedNanos = 0n } = row;
  if (!LEDGER_STATUSES.includes(status) || !LEDGER_OUTCOMES.includes(outcome))
    return 'its status or outcome is unknown';
  const wrong = malformedUsage(row);
  if (wrong) return wrong;
  if (!isAmount(costNanos)) return 'its cost is not an amount';
  if (!isAmount(savedNanos)) return 'what it saved is not an amount';
  if (![row.tenantId, row.tokenId, row.model, row.provider].every((text) => typeof text === 'string'))
    return 'tenant, token, model or provider is missing';
  if (row.reason !== null && !/^[a-z_]{1,40}$/.test(row.reason)) return 'its reason is no code';
  if (api !== null && !isLedgerApi(api)) return 'its API is unknown';
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
 * billed as if it were right. Its key is not looked at: it comes from its hold, and under a wrong one it could not be booked at all.
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
