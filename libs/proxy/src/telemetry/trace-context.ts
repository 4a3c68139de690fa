import { randomFillSync } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Whose work a call is a part of, as a caller told it (https://www.w3.org/TR/trace-context/). */
export interface TraceParent {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Whether the caller records this trace. */
  readonly sampled: boolean;
  /** What other tracing systems on the way left; passed on unread. */
  readonly state: string | null;
}

/** A later version may say more behind the flags. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const STATE = /^[\x20-\x7e\t]{1,512}$/;
const SAMPLED = 1;

/** What a caller's headers say; null for nothing, or nothing that can be understood. */
export function readTraceParent({ traceparent, tracestate }: IncomingHttpHeaders): TraceParent | null {
  if (typeof traceparent !== 'string') return null;
  const [, traceId, spanId, flags, more] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (more !== undefined && traceparent.startsWith('00')) return null;
  const state = typeof tracestate === 'string' && STATE.test(tracestate) ? tracestate : null;
  return { traceId, spanId, sampled: (parseInt(flags, 16) & SAMPLED) === SAMPLED, state };
}

export const writeTraceParent = (traceId: string, spanId: string, isSampled: boolean): string =>
  `00-${traceId}-${spanId}-0${isSampled ? SAMPLED : 0}`;

/** Random bytes are drawn in bulk because one draw per id is a system call per id. */
const pool = Buffer.alloc(4096);
let used = pool.length;

function hex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}

export const newTraceId = (): string => hex(16);
export const newSpanId = (): string => hex(8);
