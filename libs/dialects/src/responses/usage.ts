import { count, record, type Json } from '../json';
import type { Usage } from '../reply';

/** As in chat completions, caches are a part of the input; only the names differ. */
export function readResponsesUsage(told: Json): Usage {
  const details = record(told['input_tokens_details']) ?? {};
  const cacheRead = count(details['cached_tokens']);
  const cacheWrite5m = count(details['cache_write_tokens']);
  return {
    input: Math.max(0, count(told['input_tokens']) - cacheRead - cacheWrite5m),
    cacheRead,
    cacheWrite5m,
    cacheWrite1h: 0,
    output: count(told['output_tokens']),
    reasoning: count(record(told['output_tokens_details'])?.['reasoning_tokens']),
  };
}

export function writeResponsesUsage(usage: Usage): Json {
  const written = usage.cacheWrite5m + usage.cacheWrite1h;
  const input = usage.input + usage.cacheRead + written;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cacheRead, cache_write_tokens: written },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: input + usage.output,
  };
}
