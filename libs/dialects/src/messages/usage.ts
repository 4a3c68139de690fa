import { count, isSet, record, type Json } from '../json';
import type { Usage } from '../reply';

/** Anthropic counts what its caches read and wrote beside the input. Events tell parts; what one leaves out stays. */
export function readMessagesUsage(told: Json, before: Usage): Usage {
  const { cache_creation_input_tokens: writes, cache_creation: split } = told;
  const cacheWrite1h = count(record(split)?.['ephemeral_1h_input_tokens']);
  const thought = record(told['output_tokens_details'])?.['thinking_tokens'];
  return {
    input: isSet(told['input_tokens']) ? count(told['input_tokens']) : before.input,
    cacheRead: isSet(told['cache_read_input_tokens']) ? count(told['cache_read_input_tokens']) : before.cacheRead,
    cacheWrite5m: isSet(split)
      ? Math.max(0, count(writes) - cacheWrite1h)
      : isSet(writes)
        ? Math.max(0, count(writes) - before.cacheWrite1h)
        : before.cacheWrite5m,
    cacheWrite1h: isSet(split) ? cacheWrite1h : before.cacheWrite1h,
    output: isSet(told['output_tokens']) ? count(told['output_tokens']) : before.output,
    reasoning: isSet(thought) ? count(thought) : before.reasoning,
  };
}

export function writeMessagesUsage(usage: Usage): Json {
  return {
    input_tokens: usage.input,
    cache_creation_input_tokens: usage.cacheWrite5m + usage.cacheWrite1h,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: usage.output,
    output_tokens_details: { thinking_tokens: usage.reasoning },
    server_tool_use: null,
  };
}
