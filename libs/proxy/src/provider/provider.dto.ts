import type { BreakerState } from './breaker';

/** A provider as this gateway process sees it. */
export class ProviderView {
  /** @example "anthropic" */
  name!: string;

  /**
   * Without any key.
   * @example "https://api.anthropic.com"
   */
  address!: string;

  /** `open`: it has failed several times in a row and is not asked for a moment; `half_open`: one call tries. */
  breaker!: BreakerState;

  /** Keys it has. */
  keys!: number;

  /** Of these, those set aside because it refused them or limits them. */
  keysAside!: number;

  /** Calls under way; `null` where nothing limits them and so nobody counts. */
  inside!: number | null;

  /** The most there may be at a time. */
  maxConcurrent!: number | null;

  /** Calls that wait for their turn. */
  waiting!: number;

  /** Attempts that failed here and were made again, here or elsewhere, since the process started or the address changed. */
  retried!: number;

  /**
   * Why a call failed here last, since then.
   * @example "connect ECONNREFUSED 10.0.0.7:8000"
   */
  lastFault!: string | null;
}

export class ProviderList {
  /** By name. */
  items!: ProviderView[];
}
