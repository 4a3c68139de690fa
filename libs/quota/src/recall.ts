import type { WindowLease } from './window-lease';

/** A process found no room in a window for requests that wait there, and asks the others for some of theirs. */
export interface Recall {
  readonly windowId: bigint;
  readonly processId: string;
  /** What its own requests have of that window. */
  readonly inUse: bigint;
}

/** A recall of another process, which stands until it is met or over. */
export interface StandingRecall extends Recall {
  /** Monotonic ms. */
  readonly untilMs: number;
}

/** A process asks again after each of its pauses, while somebody waits there; whoever has ended or found room does not. */
const STANDS_MS = 500;

/** As the change feed carries it. */
export const recallText = ({ windowId, processId, inUse }: Recall): string => `${windowId} ${processId} ${inUse}`;

export function recallOf(text: string): Recall {
  const [windowId = '', processId = '', inUse = '0'] = text.split(' ');
  return { windowId: BigInt(windowId), processId, inUse: BigInt(inUse) };
}

/**
 * Which of two recalls to meet first: that of who has less. What a process asks now is in place of what it asked before, and amounts
 * of two windows cannot be compared.
 */
export function firstOf(before: StandingRecall | null, next: Recall, nowMs: number): StandingRecall {
  const isOther = before !== null && before.processId !== next.processId && before.windowId === next.windowId;
  if (isOther && nowMs < before.untilMs && before.inUse < next.inUse) return before;
  return { ...next, untilMs: nowMs + STANDS_MS };
}

/**
 * Whether what has come back belongs to the other process: if that has less than this one with half of it. So processes come to have
 * alike and then leave it at that, and what only one of them can have goes round.
 */
export const givesWay = ({ inUse, free }: WindowLease, recall: Recall): boolean =>
  free > 0n && 2n * inUse + free > 2n * recall.inUse;
