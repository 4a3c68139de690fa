import { CountReader, isObject, refused, type UsageResult } from './token-counts';

/**
 * Counts of a `CompletionUsage` (https://platform.openai.com/docs/api-reference/chat/object).
 *
 * `prompt_tokens` includes cached tokens and, from GPT-5.6 on, those written to the cache (one lifetime, priced like
 * the shorter). `completion_tokens` includes reasoning; servers that report it beside the completion are recognised by
 * their own total. Audio has prices of its own that no class here stands for, so it is refused rather than undercharged.
 */
export function countsOfOpenAi(usage: unknown): UsageResult {
  if (!isObject(usage)) return refused('unreadable', 'usage');
  const read = new CountReader(usage);
  const prompt = read.required('prompt_tokens');
  // Embeddings and the like answer without a completion.
  const completion = read.optional('completion_tokens') ?? 0;
  const total = read.optional('total_tokens');
  const cached = read.optional('prompt_tokens_details.cached_tokens') ?? 0;
  const written = read.optional('prompt_tokens_details.cache_write_tokens') ?? 0;
  const reasoning = read.optional('completion_tokens_details.reasoning_tokens') ?? 0;
  const audioIn = read.optional('prompt_tokens_details.audio_tokens') ?? 0;
  const audioOut = read.optional('completion_tokens_details.audio_tokens') ?? 0;
  if (read.problem) return { ok: false, problem: read.problem };

  if (audioIn > 0) return refused('unpriced_class', 'prompt_tokens_details.audio_tokens');
  if (audioOut > 0) return refused('unpriced_class', 'completion_tokens_details.audio_tokens');
  if (cached + written > prompt) return refused('subset_exceeds_whole', 'prompt_tokens_details');

  const beside = reasoning > 0 && total === prompt + completion + reasoning;
  if (!beside && total !== null && total !== prompt + completion) return refused('inconsistent', 'total_tokens');
  if (!beside && reasoning > completion)
    return refused('subset_exceeds_whole', 'completion_tokens_details.reasoning_tokens');

  return {
    ok: true,
    counts: {
      input: prompt - cached - written,
      audioInput: 0,
      output: beside ? completion : completion - reasoning,
      audioOutput: 0,
      cacheRead: cached,
      cacheWrite5m: written,
      cacheWrite1h: 0,
      reasoning,
    },
  };
}
