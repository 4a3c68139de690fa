import type { KnownProcess } from './gateway-process.queries';

/** Why a process takes no more work until it is restarted. */
export interface Fence {
  /** The database is an older copy of the one it has worked on: not even what has ended is to be booked there by it. */
  readonly isOutdated: boolean;
  /** How many of its commits are not there. */
  readonly missing: bigint;
  /** For the log. */
  readonly what: string;
  /** For callers. */
  readonly detail: string;
}

const NO_WORK = 'takes no work until it is restarted';
const OLDER_COPY = 'it was restored from an older copy, or a standby that was behind was promoted';

export const DECLARED_DEAD: Fence = {
  isOutdated: false,
  missing: 0n,
  what: 'another gateway process has declared this one dead; restart it',
  detail: `This gateway process was declared dead by another one and ${NO_WORK}.`,
};

export const UNKNOWN: Fence = {
  isOutdated: true,
  missing: 0n,
  what: `the database does not know this process: ${OLDER_COPY}; restart it, and what its journal still has is booked`,
  detail: `The database does not know this gateway process: ${OLDER_COPY}. The process ${NO_WORK}.`,
};

export const outdated = (missing: bigint): Fence => ({
  isOutdated: true,
  missing,
  what: `the database does not know all that this process has booked and leased: ${OLDER_COPY}; restart it, and what its journal still has is booked`,
  detail: `The database does not know all that this gateway process has booked and leased (commits missing: ${missing}): ${OLDER_COPY}. The process ${NO_WORK}.`,
});

/** @param known how many commits of the process are there at least, if nothing was taken back */
export function fenceOf(found: KnownProcess | undefined, known: bigint): Fence | null {
  if (found === undefined) return UNKNOWN;
  if (found.ended) return DECLARED_DEAD;
  return found.commits < known ? outdated(known - found.commits) : null;
}
