import type { ErrorCode } from '@app/platform';

/** No call is the cause of these. While the database is away each call has one, and a line a second tells as much as thousands do. */
const SHARED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['database_unavailable', 'journal_unavailable']);
const PAUSE_MS = 1_000;

/** Which failed calls the log is told of one by one. */
export class FaultLog {
  readonly #told = new Map<ErrorCode, { readonly atMs: number; passedOver: number }>();

  /**
   * @param nowMs monotonic
   * @returns how many like it were passed over since the last that was told; `null` if this one is as well
   */
  toTell(code: ErrorCode, nowMs = performance.now()): number | null {
    if (!SHARED.has(code)) return 0;
    const last = this.#told.get(code);
    if (last && nowMs - last.atMs < PAUSE_MS) {
      last.passedOver++;
      return null;
    }
    this.#told.set(code, { atMs: nowMs, passedOver: 0 });
    return last?.passedOver ?? 0;
  }
}
