import { invalidField } from '@app/platform';

/** Of a budget's limit, in percent. */
export const DEFAULT_THRESHOLDS: readonly number[] = [50, 80, 100];
export const MOST_THRESHOLDS = 10;

/** @throws CodedError `validation_failed` unless each is above the one before */
export function checkThresholds(thresholds: readonly number[]): void {
  if (thresholds.some((percent, n) => n > 0 && percent <= (thresholds[n - 1] as number)))
    throw invalidField('thresholds', 'must rise from one to the next, such as [50, 80, 100]');
}

/** A window's spent, around an increase. */
export interface Increase {
  readonly limit: bigint | null;
  readonly before: bigint;
  readonly after: bigint;
}

/**
 * Whether a threshold may have been crossed, wherever they are: they are whole percents up to 100, so at most a hundred
 * increases of a window need a look at them.
 */
export const crossesPercent = ({ limit, before, after }: Increase): boolean =>
  limit !== null && percentOf(before, limit) < percentOf(after, limit);

/** Whole percents reached; with nothing used none, whatever the limit. */
function percentOf(spent: bigint, limit: bigint): bigint {
  if (spent === 0n) return 0n;
  return spent >= limit ? 100n : (spent * 100n) / limit;
}
