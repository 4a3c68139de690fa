import { count, record, type Json } from '../json';
import type { Usage } from '../reply';

/** OpenAI counts what its caches read and wrote as a part of the input. */
export function readChatUsage(told: Json): Usage {
  const input = record(told['prompt_tokens_details']) ?? {};
  const cacheRead = count(input['cached_tokens']);
  const cacheWrite5m = count(input['cache_write_tokens']);
  return {
    input: Math.max(0, count(told['prompt_tokens']) - cacheRead - cacheWrite5m),
    cacheRead,
    cacheWrite5m,
    cacheWrite1h: 0,
    output: count(told['completion_tokens']),
    reasoning: count(record(told['completion_tokens_details'])?.['reasoning_tokens']),
  };
}

export function writeChatUsage(usage: Usage): Json {
  const written = usage.cacheWrite5m + usage.cacheWrite1h;
  const input = usage.input + usage.cacheRead + written;
  return {
    prompt_tokens: input,
    completion_tokens: usage.output,
    total_tokens: input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cacheRead, ...(written > 0 && { cache_write_tokens: written }) },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}
