import { CodedError, type CodedErrorOptions } from '@app/platform';
import { type Amounts, formatAmount } from './amounts';
import type { Scope } from './scopes/scope';
import type { Room, Standing } from './standing';
import type { Metric, Period } from './windows';

const PERIOD_WORDS: Readonly<Record<Period, string>> = { day: "Today's", month: "This month's" };

interface Words {
  readonly used: string;
  readonly mayUse: string;
}

const METRIC_WORDS: Readonly<Record<Metric, Words>> = {
  cost: { used: 'spent', mayUse: 'cost' },
  tokens: { used: 'used', mayUse: 'use' },
};

const SCOPE_WORDS: Readonly<Record<Exclude<Scope, 'organisation'>, (target: string) => string>> = {
  tenant: () => '',
  model: (target) => ` for the model ${target}`,
  token: (target) => ` for the token ${target}`,
  user: (target) => ` for the user ${target}`,
};

/** Until calls under way may have given back what a request lacks: worth another try by whoever made it, as SDKs make by themselves. */
const SOON = { 'retry-after': '1', 'x-should-retry': 'true' };

/** A request that has no room, and what there was room for when that was found: whoever can ask for less may try. */
export class BudgetExceeded extends CodedError {
  constructor(
    detail: string,
    options: CodedErrorOptions,
    readonly room: Room,
    /** If everything held came back unspent. */
    readonly most: Room,
    /** The budget window that has no room. */
    readonly windowId: bigint,
  ) {
    super('budget_exceeded', detail, options);
  }
}

/**
 * The answer to a request that has no room, as the windows stood when that was found.
 * @param currency of costs; `null` before there are prices
 */
export function budgetExceeded(standing: Standing, need: Amounts, now: Date, currency: string | null): BudgetExceeded {
  const full = standing.fullFor(need);
  if (!full) throw new TypeError('a request that has room is not refused');
  const { metric, period, resetAt } = full;
  const amount = (value: bigint): string => formatAmount(metric, value);
  const { scope, target } = standing.owner;
  const resetsAt = resetAt.toISOString();
  const seconds = Math.max(1, Math.ceil((resetAt.getTime() - now.getTime()) / 1000));
  const isSoon = standing.mayHaveRoom(need);
  const headers = isSoon ? SOON : { 'retry-after': String(seconds) };
  const requested = amount(need[metric]);
  const { used, mayUse } = METRIC_WORDS[metric];
  const unit = metric === 'tokens' ? ' tokens' : currency === null ? '' : ` ${currency}`;
  const counted = { metric, ...(metric === 'cost' && currency !== null ? { currency } : {}), period };
  const soon = isSoon ? 'What is held may come back at any moment, so try again. ' : '';
  const request = `this request could ${mayUse} up to ${requested}${unit}. ${soon}It resets at ${resetsAt}.`;
  const found = [standing.least('room'), standing.least('most'), full.id] as const;
  // What all tenants together use is no tenant's business.
  if (scope === 'organisation')
    return new BudgetExceeded(
      `${PERIOD_WORDS[period]} budget of the whole organisation does not cover this request: ${request}`,
      { details: { scope, ...counted, requested, resetAt: resetsAt }, headers },
      ...found,
    );
  const [limit, spent, held] = [amount(full.limit), amount(full.spent), amount(full.held)];
  return new BudgetExceeded(
    `${PERIOD_WORDS[period]} budget of ${limit}${unit}${SCOPE_WORDS[scope](target)} does not cover this request: ` +
      `${spent}${unit} ${used}, ${held}${unit} held for requests under way, and ${request}`,
    {
      details: {
        scope,
        ...(scope === 'tenant' ? {} : { target }),
        ...{ ...counted, limit, spent, held, requested, resetAt: resetsAt },
      },
      headers,
    },
    ...found,
  );
}
