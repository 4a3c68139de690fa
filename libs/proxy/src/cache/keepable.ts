import type { RecordingSink } from '../answer/recording-sink';
import type { SettledEntry } from '../money/ledger-sink';
import type { KeptAnswer } from './kept-answer';

/** An answer that its client got whole, and what is known of it. */
export interface Answered {
  readonly row: Pick<SettledEntry, 'status' | 'webSearches' | 'costNanos' | 'provider' | 'model'>;
  /** Why it ended, in the provider's words. */
  readonly stopReason: string | null;
}

/**
 * Headers that are true of the answer whenever it is given. Ids and durations are of the call that bought it.
 */
const OF_THE_ANSWER = [
  'content-type',
  'openai-version',
  'x-openclawmu-dropped',
  'x-openclawmu-masked',
  'x-openclawmu-model',
];

/** Filters are changed, and err: who asks again may well be answered. */
const WITHHELD = /filter|refus|safety|recitation|blocklist|prohibited|spii/i;

/**
 * What of an answer is kept; null where it is not to be had again: it is an error, was cut, shortened or withheld, is too large, or
 * nobody knows exactly what it cost.
 */
export function keepable(recorded: RecordingSink, answered: Answered | null): KeptAnswer | null {
  const { status, headers, isStream, ending, body } = recorded;
  if (answered === null || status !== 200 || ending !== 'ended' || body === null) return null;
  const { row, stopReason } = answered;
  if (row.status !== 'actual' || row.webSearches > 0) return null;
  if (headers['x-openclawmu-output-clamped'] !== undefined) return null;
  if (stopReason !== null && WITHHELD.test(stopReason)) return null;
  const kept: Record<string, string> = {};
  for (const name of OF_THE_ANSWER) if (headers[name] !== undefined) kept[name] = headers[name];
  return { isStream, headers: kept, provider: row.provider, model: row.model, costNanos: row.costNanos, body };
}
