import { NO_TOKENS } from '@app/billing';
import { tierReported } from './service-tier';
import { CountReader, isObject, type Json, refused, type UsageResult } from './token-counts';

/**
 * Counts of a `Usage` (https://docs.claude.com/en/api/messages). `input_tokens` excludes what was read from and written
 * to the cache; a write is split by lifetime in `cache_creation`, and counts as five minutes, the default, without
 * that split. Searches are counted in `server_tool_use`, fetches there are free. Tokens of compactions, advisors and
 * fallbacks stand only in `iterations`, outside of the totals and at another model's price, and code has a price by the hour:
 * such an answer is refused rather than undercharged. `speed` is a tier of its own, beside `service_tier`.
 */
export function usageOfAnthropic(usage: unknown): UsageResult {
  if (!isObject(usage)) return refused('unreadable', 'usage');
  const read = new CountReader(usage);
  const input = read.required('input_tokens');
  const output = read.required('output_tokens');
  const cacheRead = read.optional('cache_read_input_tokens') ?? 0;
  const written = read.optional('cache_creation_input_tokens');
  const written5m = read.optional('cache_creation.ephemeral_5m_input_tokens');
  const written1h = read.optional('cache_creation.ephemeral_1h_input_tokens');
  const reasoning = read.optional('output_tokens_details.thinking_tokens') ?? 0;
  const webSearches = read.optional('server_tool_use.web_search_requests') ?? 0;
  const codeRuns = read.optional('server_tool_use.code_execution_requests') ?? 0;
  if (read.problem) return { ok: false, problem: read.problem };

  if (codeRuns > 0) return refused('unpriced_class', 'server_tool_use.code_execution_requests');
  if (hasForeignIterations(usage)) return refused('unpriced_class', 'iterations');
  if (reasoning > output) return refused('subset_exceeds_whole', 'output_tokens_details.thinking_tokens');
  const isSplit = written5m !== null || written1h !== null;
  const split = (written5m ?? 0) + (written1h ?? 0);
  if (isSplit && written !== null && written !== split) return refused('inconsistent', 'cache_creation');

  const [speed, tier] = [tierReported(usage['speed']), tierReported(usage['service_tier'])];
  if (speed === undefined || tier === undefined) return refused('unreadable', 'service_tier');

  const counts = {
    ...NO_TOKENS,
    input,
    output: output - reasoning,
    cacheRead,
    cacheWrite5m: isSplit ? (written5m ?? 0) : (written ?? 0),
    cacheWrite1h: written1h ?? 0,
    reasoning,
  };
  return { ok: true, usage: { counts, webSearches, serviceTier: speed ?? tier } };
}

/**
 * The usage of a stream so far: `message_start` has the input, each `message_delta` cumulative numbers of which the
 * last count. A null there says nothing and leaves what was known.
 */
export function mergeAnthropic(earlier: Json, later: Json): Json {
  const merged: Record<string, unknown> = { ...earlier };
  for (const [name, value] of Object.entries(later)) {
    if (value !== null) merged[name] = value;
  }
  const written = later['cache_creation_input_tokens'];
  if (typeof written === 'number' && !isObject(later['cache_creation']) && isObject(earlier['cache_creation']))
    merged['cache_creation'] = splitAnew(earlier['cache_creation'], written);
  return merged;
}

/**
 * How long what was written is kept, where only its sum was told again: `message_delta` has no split, and a round of searches
 * writes more (https://github.com/anthropics/anthropic-sdk-typescript/issues/793). What came to it is taken for the dearer
 * lifetime among those told. Of two lifetimes nobody knows which has become less: such a report is left to contradict itself.
 */
function splitAnew(told: Json, written: number): Json {
  const { ephemeral_5m_input_tokens: short = 0, ephemeral_1h_input_tokens: long = 0 } = told;
  if (typeof short !== 'number' || typeof long !== 'number') return told;
  if (short > 0 && long > 0 && written < short + long) return told;
  return long > 0
    ? { ...told, ephemeral_1h_input_tokens: written - short }
    : { ...told, ephemeral_5m_input_tokens: written };
}

function hasForeignIterations({ iterations }: Json): boolean {
  if (iterations === undefined || iterations === null) return false;
  if (!Array.isArray(iterations)) return true;
  return iterations.some((iteration: unknown) => !isObject(iteration) || iteration['type'] !== 'message');
}
