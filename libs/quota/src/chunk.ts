/** Of what nobody asked for yet, one process takes at most this share at a time, so that others find some too. */
const SHARE = 8n;

export interface Wish {
  /** What the request that waits longest is short of. */
  readonly need: bigint;
  /** What all waiting requests together are short of; at least `need`. */
  readonly waiting: bigint;
  /** What is likely to be asked for soon. */
  readonly ahead: bigint;
}

/**
 * How much to lease from a window, or `null` if the need does not fit. What requests wait for is given as far as it goes; what
 * is only likely to be needed shrinks with the headroom, so that near the limit processes strand next to nothing.
 * @param left limit less what is spent and leased; `null` for a window without a limit
 */
export function chunk(left: bigint | null, { need, waiting, ahead }: Wish): bigint | null {
  if (left === null) return waiting + ahead;
  if (left < need) return null;
  const known = waiting < left ? waiting : left;
  const spare = (left - known) / SHARE;
  return known + (ahead < spare ? ahead : spare);
}

/** Refills closer together than this were too small. */
const BUSY_MS = 1_000;
const FIRST = 32n;
/** However fast refills follow each other: near a limit they do because there is little to be had, and what has no limit must not be drained. */
const MOST = 4_096n;

/**
 * How much to ask for ahead: some requests' worth at first, doubled while refills follow each other fast, halved when
 * they do not, within bounds.
 * @param before what was asked ahead last time; 0 the first time
 */
export function aheadOf(before: bigint, need: bigint, msSinceRefill: number): bigint {
  const [least, most] = [need * FIRST, need * MOST];
  const adapted = msSinceRefill < BUSY_MS ? before * 2n : before / 2n;
  if (adapted < least) return least;
  return adapted < most ? adapted : most;
}
