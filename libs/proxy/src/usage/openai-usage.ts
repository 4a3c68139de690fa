import { NO_TOKENS, NO_USAGE } from '@app/billing';
import { tierReported } from './service-tier';
import { CountReader, isObject, refused, type UsageResult } from './token-counts';

/** What a prompt and an answer have together, by OpenAI's way of counting: parts are contained in their whole. */
interface Wholes {
  readonly prompt: number;
  readonly completion: number;
  readonly total: number | null;
  readonly cached: number;
  readonly written: number;
  readonly reasoning: number;
  readonly audioIn: number;
  readonly audioOut: number;
  /** Names of the wholes' details, for what does not add up. */
  readonly promptDetails: string;
  readonly completionDetails: string;
}

/**
 * Where a prompt's tokens out of a cache are told: by OpenAI, DeepSeek (https://api-docs.deepseek.com/api/create-chat-completion),
 * Kimi (https://platform.kimi.ai/docs/api/chat).
 */
const CACHED = ['prompt_tokens_details.cached_tokens', 'prompt_cache_hit_tokens', 'cached_tokens'];
/** And those that were written to one: by OpenAI and OpenRouter, LiteLLM, Qwen. */
const WRITTEN = ['cache_write_tokens', 'cache_creation_tokens', 'cache_creation_input_tokens'].map(
  (name) => `prompt_tokens_details.${name}`,
);

/**
 * Usage of a `CompletionUsage` (https://platform.openai.com/docs/api-reference/chat/object), and of embeddings
 * (https://platform.openai.com/docs/api-reference/embeddings/create): a prompt and nothing else.
 *
 * `prompt_tokens` includes audio, cached tokens and, from GPT-5.6 on, those written to the cache (one lifetime, priced like
 * the shorter). `completion_tokens` includes audio, reasoning, and predicted tokens whether they were accepted or not;
 * servers that report reasoning beside the completion are recognised by their own total, also if they tell of it nowhere
 * else: Google's endpoint for OpenAI's clients adds its thoughts to the total alone. Searches are not reported.
 * @param serviceTier the answer's own `service_tier`
 */
export function usageOfOpenAi(usage: unknown, serviceTier?: unknown): UsageResult {
  if (!isObject(usage)) return refused('unreadable', 'usage');
  const read = new CountReader(usage);
  const completion = read.optional('completion_tokens');
  const total = read.optional('total_tokens');
  // Voyage tells of an embedding's prompt in the total alone.
  const prompt =
    (completion === null ? (read.optional('prompt_tokens') ?? total) : null) ?? read.required('prompt_tokens');
  const cached = read.first(CACHED) ?? 0;
  const written = read.first(WRITTEN) ?? 0;
  const reasoning = read.optional('completion_tokens_details.reasoning_tokens');
  const wholes: Wholes = {
    prompt,
    // Embeddings and the like answer without a completion.
    completion: completion ?? 0,
    total,
    cached,
    written,
    reasoning: reasoning ?? (completion === null ? 0 : untold(total, prompt + completion, cached + written)),
    audioIn: read.optional('prompt_tokens_details.audio_tokens') ?? 0,
    audioOut: read.optional('completion_tokens_details.audio_tokens') ?? 0,
    promptDetails: 'prompt_tokens_details',
    completionDetails: 'completion_tokens_details',
  };
  const predicted =
    (read.optional('completion_tokens_details.accepted_prediction_tokens') ?? 0) +
    (read.optional('completion_tokens_details.rejected_prediction_tokens') ?? 0);
  if (predicted > wholes.completion) return refused('subset_exceeds_whole', wholes.completionDetails);
  return read.problem ? { ok: false, problem: read.problem } : disjoint(wholes, serviceTier);
}

/**
 * Usage of the Responses API (https://platform.openai.com/docs/api-reference/responses/object), which has other names for the same.
 * @param webSearches counted in the output, because the usage does not tell
 */
export function usageOfResponses(usage: unknown, serviceTier?: unknown, webSearches = 0): UsageResult {
  if (!isObject(usage)) return refused('unreadable', 'usage');
  const read = new CountReader(usage);
  const wholes: Wholes = {
    prompt: read.required('input_tokens'),
    completion: read.required('output_tokens'),
    total: read.optional('total_tokens'),
    cached: read.optional('input_tokens_details.cached_tokens') ?? 0,
    written: read.optional('input_tokens_details.cache_write_tokens') ?? 0,
    reasoning: read.optional('output_tokens_details.reasoning_tokens') ?? 0,
    audioIn: read.optional('input_tokens_details.audio_tokens') ?? 0,
    audioOut: read.optional('output_tokens_details.audio_tokens') ?? 0,
    promptDetails: 'input_tokens_details',
    completionDetails: 'output_tokens_details',
  };
  return read.problem ? { ok: false, problem: read.problem } : disjoint(wholes, serviceTier, webSearches);
}

/**
 * The `timings` of llama.cpp's server, which stand also where no usage was asked for: what of the prompt was read anew,
 * what of it was cached, what was written (https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md).
 */
export function usageOfTimings(timings: unknown): UsageResult {
  if (!isObject(timings)) return refused('unreadable', 'timings');
  const read = new CountReader(timings);
  const counts = {
    ...NO_TOKENS,
    input: read.required('prompt_n'),
    cacheRead: read.optional('cache_n') ?? 0,
    output: read.required('predicted_n'),
  };
  return read.problem ? { ok: false, problem: read.problem } : { ok: true, usage: { ...NO_USAGE, counts } };
}

/**
 * Tokens that stand in the total alone, which are thoughts, unless a cache explains them: then prompt and total contradict
 * each other.
 */
function untold(total: number | null, told: number, fromCache: number): number {
  const more = (total ?? told) - told;
  return more > 0 && more !== fromCache ? more : 0;
}

/** Takes the parts out of their wholes, if all of it can be true. */
function disjoint(wholes: Wholes, tierTold: unknown, webSearches = 0): UsageResult {
  const { prompt, completion, total, cached, written, reasoning, audioIn, audioOut } = wholes;
  if (cached + written + audioIn > prompt) return refused('subset_exceeds_whole', wholes.promptDetails);
  const beside = reasoning > 0 && total === prompt + completion + reasoning;
  if (!beside && total !== null && total !== prompt + completion) return refused('inconsistent', 'total_tokens');
  const inside = beside ? audioOut : audioOut + reasoning;
  if (inside > completion) return refused('subset_exceeds_whole', wholes.completionDetails);
  const serviceTier = tierReported(tierTold);
  if (serviceTier === undefined) return refused('unreadable', 'service_tier');
  const counts = {
    input: prompt - cached - written - audioIn,
    audioInput: audioIn,
    output: completion - inside,
    audioOutput: audioOut,
    cacheRead: cached,
    cacheWrite5m: written,
    cacheWrite1h: 0,
    reasoning,
  };
  return { ok: true, usage: { counts, webSearches, serviceTier } };
}
