import { type Amounts, atLeastZero } from './amounts';
import { chunk } from './chunk';
import { leftOf, type Source } from './standing';
import type { WindowLease } from './window-lease';

/** What to lease of one window. */
export interface Grant {
  readonly lease: WindowLease;
  readonly amount: bigint;
}

/**
 * How much to lease of each window for requests that wait, and for those that are likely to come.
 * @param needs of requests each of which there is room for; the first comes first
 */
export function allot(
  sources: readonly Source[],
  needs: readonly [Amounts, ...Amounts[]],
  ahead: Amounts,
): readonly Grant[] {
  return sources.map(({ row, lease }) => {
    const { metric, free } = lease;
    const waiting = needs.reduce((sum, need) => sum + need[metric], 0n);
    const amount = chunk(leftOf(row), {
      need: atLeastZero(needs[0][metric] - free),
      waiting: atLeastZero(waiting - free),
      ahead: ahead[metric],
    });
    if (amount === null) throw new TypeError(`window ${row.id} has no room for what waits`);
    return { lease, amount };
  });
}

const IDLE_MS = 5_000;
/** Who calls once a minute should not wait for the database each time. */
const LONG_IDLE_MS = 60_000;
/** What is less than this share of what is left is missed by nobody, and hardly seen among what is held. */
const SMALL_SHARE = 64n;

/** How long what has been leased may lie idle before it goes back. Processes that are short of it ask for it before. */
export const patienceOf = (sources: readonly Source[], grants: readonly Grant[]): number => {
  const isSmall = sources.every(({ row, lease }, i) => {
    const left = leftOf(row);
    return left === null || (lease.free + (grants[i] as Grant).amount) * SMALL_SHARE <= left;
  });
  return isSmall ? LONG_IDLE_MS : IDLE_MS;
};
