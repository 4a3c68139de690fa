import { costNanosOf } from '../department';
import type { FakeProvider, Outcome } from '../fake-provider';
import { numberOf } from './scenario';

/** One call as the provider has it in its own books. */
export interface ProviderEntry {
  readonly number: number;
  readonly outcome: Outcome;
  readonly chargedNanos: bigint;
  readonly requestId: string;
}

/** What the provider was asked and what it charges; keeps the figures and lets the requests go, so that a long run fits into memory. */
export class ProviderBook {
  readonly entries: ProviderEntry[] = [];

  constructor(private readonly provider: FakeProvider) {}

  /** Takes over the requests that have ended. @returns how many are still open */
  take(): number {
    const { requests } = this.provider;
    const open = requests.filter(({ outcome }) => outcome === 'open');
    for (const { model, outcome, charged, requestId, path } of requests) {
      // Asked before a refusal near a boundary; a provider charges nothing for it.
      if (path.endsWith('/count_tokens')) continue;
      const number = numberOf(model);
      // An upload that broke off names no model, and nothing is charged for it.
      if (outcome !== 'open' && number !== undefined)
        this.entries.push({ number, outcome, chargedNanos: costNanosOf(charged), requestId });
    }
    requests.splice(0, requests.length, ...open);
    return open.length;
  }
}
