import {
  cost,
  inputTokens,
  NO_TOKENS,
  NO_USAGE,
  totalTokens,
  type LedgerOutcome,
  type LedgerStatus,
  type ModelEntry,
  type ModelPrice,
  type Quote,
  type Usage,
} from '@app/billing';
import { likelyInput } from '../bounds/likely-input';
import type { RequestFacts } from '../request/request-facts';
import { silentSearches } from '../request/search-uses';
import type { AnswerHead } from '../usage/answer-head';
import type { UsageProblem } from '../usage/token-counts';
import { isPriced } from './priced-features';

/** What is known of a call when it is over. */
export interface Ending {
  readonly outcome: LedgerOutcome;
  /** HTTP status of the provider's answer; 0 when there was none. */
  readonly status: number;
  /** What the provider reported, if it can be trusted. */
  readonly usage: Usage | null;
  /** Whether `usage` is the provider's last word. */
  readonly final: boolean;
  /** Why there is none. */
  readonly problem: UsageProblem | null;
  /** Lower bound of the output tokens, counted by us. */
  readonly outputSeen: number;
  /** Searches that the provider bills and does not report. */
  readonly silentSearches: number;
  /** Why the model stopped, in the provider's word for it; nothing is billed by it. */
  readonly stopReason?: string | null | undefined;
  /** What the answer says of itself, if it was asked; nothing is billed by it either. */
  readonly head?: AnswerHead | null | undefined;
  /** What we take the input for if the provider never told. */
  readonly inputGuess: number;
}

/** What is known of it without looking at its request. */
export type Ended = Omit<Ending, 'inputGuess' | 'silentSearches'>;

/** @param body of the request, for its media; asked only where nothing was told */
export function endingOf(facts: RequestFacts, ended: Ended, body: Buffer, model: ModelEntry): Ending {
  const { outcome, status, usage, final, problem, outputSeen, stopReason, head } = ended;
  const inputGuess = usage ? 0 : likelyInput(facts, body, model);
  const searches = silentSearches(facts);
  return { outcome, status, usage, final, problem, outputSeen, stopReason, head, inputGuess, silentSearches: searches };
}

/** What a provider that never came to speak of usage has told. */
export const NOTHING_TOLD = { usage: null, final: false, problem: null, outputSeen: 0 } as const;

export interface Bill extends Usage {
  readonly status: LedgerStatus;
  readonly costNanos: bigint;
  /** Of all classes together. */
  readonly tokens: number;
  /** Why it is not `actual`, as a code. */
  readonly reason: string | null;
  /** What was not spent, because the answer was there already. */
  readonly savedNanos?: bigint;
}

/** Why a provider's report was of no use, as rows and pages name it. */
const UNUSABLE = {
  missing: 'usage_missing',
  unreadable: 'usage_unreadable',
  not_a_count: 'usage_not_a_count',
  too_large: 'usage_too_large',
  subset_exceeds_whole: 'usage_subset_exceeds_whole',
  inconsistent: 'usage_inconsistent',
  unpriced_class: 'usage_unpriced_class',
} as const satisfies Record<UsageProblem['reason'], string>;

/**
 * What a call is billed at, never more than its hold. Told by the provider: as told. Not told, or broken off: what was
 * seen, as an estimate. Told what cannot be true, or more than the worst case: the worst case, in quarantine. Sent but
 * never answered: the worst case, unconfirmed, because the provider may well have worked on it.
 */
export function bill(price: ModelPrice, quote: Quote, ending: Ending): Bill {
  if (ending.status === 0) return worstCase(quote, 'unconfirmed', 'no_answer');
  // Providers do not bill answers with an error status, unless they say so.
  if (ending.status >= 300 && !(ending.final && ending.usage)) return billed('actual', null, 0n, 0, NO_USAGE);
  if (ending.problem && ending.problem.reason !== 'missing')
    return worstCase(quote, 'quarantined', UNUSABLE[ending.problem.reason]);
  const told = ending.final ? ending.usage : null;
  const usage = withSearches(told ?? estimate(ending, quote.worst), ending.silentSearches);
  if (!isPriced(price, usage)) return worstCase(quote, 'quarantined', UNUSABLE.unpriced_class);
  const costNanos = cost(price, usage);
  const tokens = totalTokens(usage.counts);
  if (costNanos > quote.costNanos || tokens > quote.tokens || usage.webSearches > quote.worst.webSearches)
    return worstCase(quote, ending.final ? 'quarantined' : 'estimated', 'above_worst_case');
  if (told) return billed('actual', null, costNanos, tokens, usage);
  const reason = ending.outcome === 'completed' ? UNUSABLE.missing : 'broken_off';
  return billed('estimated', reason, costNanos, tokens, usage);
}

const billed = (
  status: LedgerStatus,
  reason: string | null,
  costNanos: bigint,
  tokens: number,
  { counts, webSearches, serviceTier }: Usage,
): Bill => ({ status, reason, costNanos, tokens, counts, webSearches, serviceTier });

const withSearches = (usage: Usage, silent: number): Usage =>
  silent === 0 ? usage : { ...usage, webSearches: usage.webSearches + silent };

const worstCase = ({ worst, costNanos }: Quote, status: LedgerStatus, reason: string): Bill =>
  billed(status, reason, costNanos, totalTokens(worst.counts), worst);

/** Where no tier was told, it is the dearest there can be. */
function estimate({ usage, outputSeen, inputGuess }: Ending, { serviceTier, counts: worst }: Usage): Usage {
  if (!usage) {
    // A guess of ours is no reason to bill the worst case, all of its output included.
    const input = Math.min(inputGuess, inputTokens(worst));
    return { ...NO_USAGE, serviceTier, counts: { ...NO_TOKENS, input, output: outputSeen } };
  }
  const { counts } = usage;
  const output = Math.max(counts.output, outputSeen - counts.reasoning - counts.audioOutput);
  return { ...usage, serviceTier: usage.serviceTier ?? serviceTier, counts: { ...counts, output } };
}
