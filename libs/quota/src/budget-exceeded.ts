import { CodedError, formatNanos } from '@app/platform';
import type { Period } from './windows';

/** A window that has no room for a request, as it stood when that was found. Amounts in nano-units. */
export interface FullWindow {
  readonly period: Period;
  readonly limit: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  readonly resetAt: Date;
}

const PERIOD_WORDS: Readonly<Record<Period, string>> = { day: "Today's", month: "This month's" };

export function budgetExceeded(full: FullWindow, requested: bigint, now: Date): CodedError {
  const { period, limit, spent, held, resetAt } = full;
  const resetsAt = resetAt.toISOString();
  const seconds = Math.max(1, Math.ceil((resetAt.getTime() - now.getTime()) / 1000));
  return new CodedError(
    'budget_exceeded',
    `${PERIOD_WORDS[period]} budget of ${formatNanos(limit)} does not cover this request: ${formatNanos(spent)} spent, ` +
      `${formatNanos(held)} held for requests under way, and this request could cost up to ${formatNanos(requested)}. ` +
      `It resets at ${resetsAt}.`,
    {
      details: {
        scope: 'tenant',
        metric: 'cost',
        period,
        limit: formatNanos(limit),
        spent: formatNanos(spent),
        held: formatNanos(held),
        requested: formatNanos(requested),
        resetAt: resetsAt,
      },
      headers: { 'retry-after': String(seconds) },
    },
  );
}
