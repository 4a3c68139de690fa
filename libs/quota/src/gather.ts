/**
 * Each batch costs some round trips and statements, whatever its size: so rows are gathered. No longer than this where booking is quick,
 * because the garbage collector copies what waits.
 */
export const GATHER_MS = 100;
/** How many times as long as the last batch took to be booked. */
const GATHER_TO_BOOK = 2;
const LONGEST_GATHER_MS = 500;

/**
 * How long rows are gathered behind a batch. It costs something for each window its rows count in, too; where these are many, as of a
 * thousand tenants, the database would do little else, and rows would come in faster than it takes them. More rows count in hardly more
 * windows, so then they are gathered for longer.
 * @param tookMs how long the last batch took to be booked
 */
export const gatherMsAfter = (tookMs: number): number =>
  Math.min(Math.max(tookMs * GATHER_TO_BOOK, GATHER_MS), LONGEST_GATHER_MS);
