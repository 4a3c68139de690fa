import { invalidField } from '@app/platform';

/** Of a budget's limit, in percent. */
export const DEFAULT_THRESHOLDS: readonly number[] = [50, 80, 100];
export const MOST_THRESHOLDS = 10;

/** @throws CodedError `validation_failed` unless each is above the one before */
export function checkThresholds(thresholds: readonly number[]): void {
  if (thresholds.some((percent, n) => n > 0 && percent <= (thresholds[n - 1] as number)))
    throw invalidField('thresholds', 'must rise from one to the next, such as [50, 80, 100]');
}
