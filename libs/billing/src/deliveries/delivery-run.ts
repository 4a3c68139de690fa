/** `retrying` waits for its next attempt; `failed` was given up. */
export const RUN_STATES = ['waiting', 'running', 'retrying', 'done', 'failed'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** A run of a delivery as it is stored. */
export interface DeliveryRun {
  readonly delivery: string;
  /** When it was due, or asked for. */
  readonly slot: Date;
  /** `2026-11-24` or `2026-11`; `null` for all statements that were newly closed. */
  readonly period: string | null;
  /** Name of an admin key; `null` for the schedule. */
  readonly requestedBy: string | null;
  readonly state: RunState;
  readonly asOf: Date | null;
  readonly attempts: number;
  readonly attemptAt: Date;
  readonly error: string | null;
  readonly files: number;
  readonly revised: number;
  readonly rows: number;
  readonly finishedAt: Date | null;
}

/** A run that this process carries out. */
export interface ClaimedRun extends DeliveryRun {
  readonly claim: string;
  readonly asOf: Date;
}

/** What a run has delivered. */
export interface DeliveredFiles {
  readonly files: number;
  /** Those of them that replaced what had been delivered before. */
  readonly revised: number;
  /** Lines of all of them, without the headers. */
  readonly rows: number;
}

/** How a delivery stands. */
export interface DeliveryStanding {
  readonly delivery: string;
  /** Of the schedule. */
  readonly lastSlot: Date | null;
  readonly lastSuccessAt: Date | null;
  /** Runs that failed, are tried again or not, and that no later run has made good. */
  readonly failing: number;
}
