import { costNanosOf } from '../department';
import type { FakeProvider, Outcome, Tokens } from '../fake-provider';
import { numberOf } from './scenario';

/** One call as the provider has it in its own books. */
export interface ProviderEntry {
  readonly number: number;
  readonly outcome: Outcome;
  readonly charged: Tokens;
  /** The same at list prices. */
  readonly chargedNanos: bigint;
  readonly requestId: string;
}

/** What the provider was asked and what it charges; keeps the figures and lets the requests go, so that a long run fits into memory. */
export class ProviderBook {
  readonly entries: ProviderEntry[] = [];
  private readonly byNumber = new Map<number, ProviderEntry>();

  constructor(private readonly provider: FakeProvider) {}

  /** Of a call that has ended, its last request. */
  entryOf(number: number): ProviderEntry | undefined {
    return this.byNumber.get(number);
  }

  /** Takes over the requests that have ended. @returns how many are still open */
  take(): number {
    const { requests } = this.provider;
    const open = requests.filter(({ outcome }) => outcome === 'open');
    for (const { model, outcome, charged, requestId, path } of requests) {
      // Asked before a refusal near a boundary; a provider charges nothing for it.
      if (path.endsWith('/count_tokens')) continue;
      const number = numberOf(model);
      // An upload that broke off names no model, and nothing is charged for it.
      if (outcome === 'open' || number === undefined) continue;
      const entry = { number, outcome, charged, chargedNanos: costNanosOf(charged), requestId };
      this.entries.push(entry);
      this.byNumber.set(number, entry);
    }
    requests.splice(0, requests.length, ...open);
    return open.length;
  }
}
