import { dateIn } from '../reports/local-time';
import { monthAfter } from './statement';
import type { StatementView } from './statement.dto';

/**
 * The first month whose statement was not given and may have a line that a correction builds on. A call stands in the
 * statement of its month or, booked late, in a later one, but none that was closed after its correction.
 * @param correcting the statement of the correction
 * @param at when the corrected call was
 * @param given all statements that were given
 * @returns `null` when the call was billed before there were statements; undefined when every statement that could have
 *   the line was given
 */
export function absentPeriod(
  correcting: StatementView,
  at: Date,
  given: readonly StatementView[],
): string | null | undefined {
  if (Number.isNaN(at.getTime()) || at >= new Date(correcting.from)) return undefined;
  const chain = given.filter(({ tenant }) => tenant === correcting.tenant);
  const first = chain.find(({ lateAfter }) => lateAfter === null);
  const periods = new Set(chain.map(({ period }) => period));
  const called = dateIn(correcting.timeZone, at).slice(0, 7);
  for (
    let period = first && first.period > called ? first.period : called;
    period < correcting.period;
    period = monthAfter(period)
  )
    if (!periods.has(period)) return period;
  return first && at < new Date(first.from) ? null : undefined;
}
