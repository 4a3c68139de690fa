import { ACCOUNT } from './account';
import type { Tokens } from './behaviour';
import { type Completion, reported } from './completion';
import type { Dialect, StreamEvent } from './dialect';

const SIGNATURE = 'RmFrZVNpZ25hdHVyZQ==';
const THOUGHT = ['Let me think. '];

/** Messages as the Anthropic API reference and the `@anthropic-ai/sdk` types describe them. */
export const anthropicDialect: Dialect = {
  name: 'anthropic',
  completionPath: '/v1/messages',
  requestIdHeader: 'request-id',
  accountHeaders: {
    'anthropic-organization-id': ACCOUNT,
    'anthropic-workspace-id': `wrkspc_${ACCOUNT}`,
    'anthropic-ratelimit-requests-limit': '1000',
    'anthropic-ratelimit-requests-remaining': '999',
    'anthropic-ratelimit-requests-reset': '2026-11-20T12:00:00Z',
    'anthropic-ratelimit-tokens-limit': '400000',
    'anthropic-ratelimit-tokens-remaining': '399000',
    'anthropic-ratelimit-tokens-reset': '2026-11-20T12:00:00Z',
    'anthropic-ratelimit-unified-status': 'allowed',
    'set-cookie': `_cfuvid=${ACCOUNT}; path=/; HttpOnly; Secure`,
  },

  refusal(json, headers) {
    const missing = (what: string) => ({ status: 400, message: `${what}: Field required` });
    if (!headers['anthropic-version']) return { status: 400, message: 'anthropic-version: header is required' };
    if (typeof json['model'] !== 'string') return missing('model');
    if (!Array.isArray(json['messages'])) return missing('messages');
    return typeof json['max_tokens'] === 'number' ? undefined : missing('max_tokens');
  },

  outputLimit: (json) => (typeof json['max_tokens'] === 'number' ? json['max_tokens'] : undefined),

  choices: () => 1,

  *events(completion, _json, report): Generator<StreamEvent> {
    const { tokens, pieces } = completion;
    const sent = (data: { type: string }, count?: number): StreamEvent => ({
      name: data.type,
      data: completion.extras ? { ...data, future_field: { deep: [1] } } : data,
      ...(count !== undefined && { tokens: count }),
    });
    const block = (index: number, start: object) =>
      sent({ type: 'content_block_start', ...{ index, content_block: start } });
    const delta = (index: number, change: object, count?: number) =>
      sent({ type: 'content_block_delta', ...{ index, delta: change } }, count);
    const stop = (index: number) => sent({ type: 'content_block_stop', ...{ index } });

    // The opening event already has the input's counts; the output's one token there is superseded by the last event.
    const first = reported(usageOf({ ...tokens, output: 1, reasoning: 0 }, completion.serviceTier), report);
    yield sent({ type: 'message_start', ...{ message: envelope(completion, [], null, first) } });
    let index = 0;
    if (tokens.reasoning > 0) {
      yield block(index, { type: 'thinking', thinking: '', signature: '' });
      const [first, ...others] = completion.thought ?? THOUGHT;
      yield delta(index, { type: 'thinking_delta', thinking: first }, tokens.reasoning);
      for (const thinking of others) yield delta(index, { type: 'thinking_delta', thinking });
      yield delta(index, { type: 'signature_delta', signature: SIGNATURE });
      yield stop(index++);
    }
    yield block(index, completion.tool === undefined ? textBlock('') : toolBlock(completion, {}));
    yield sent({ type: 'ping' });
    if (completion.extras) yield sent({ type: 'future_event', ...{ index } });
    for (const piece of pieces) {
      const change =
        completion.tool === undefined
          ? { type: 'text_delta', text: piece }
          : { type: 'input_json_delta', partial_json: piece };
      yield delta(index, change, 1);
    }
    yield stop(index);
    const last = reported(finalUsageOf(tokens), report);
    const ending = { stop_reason: stopReason(completion), stop_sequence: null, stop_details: null, container: null };
    yield sent({ type: 'message_delta', ...{ delta: ending, ...(last && { usage: last }) } });
    yield sent({ type: 'message_stop' });
  },

  whole(completion, report) {
    const { tokens, tool, pieces } = completion;
    const thinking = { type: 'thinking', thinking: (completion.thought ?? THOUGHT).join(''), signature: SIGNATURE };
    const written = pieces.join('');
    const answer = tool === undefined ? textBlock(written) : toolBlock(completion, toolInput(written));
    const content = [...(tokens.reasoning > 0 ? [thinking] : []), answer];
    const message = envelope(
      completion,
      content,
      stopReason(completion),
      reported(usageOf(tokens, completion.serviceTier), report),
    );
    return completion.extras ? { ...message, future_field: { deep: [1] } } : message;
  },

  error(answer, requestId) {
    const usual = ERRORS[answer.status] ?? UNEXPECTED;
    const error = { type: answer.type ?? usual.type, message: answer.message ?? usual.message };
    return {
      headers: { ...usual.headers, ...answer.headers },
      body: { type: 'error', error, request_id: requestId },
    };
  },

  errorEvent: (requestId) => ({
    name: 'error',
    data: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: requestId },
  }),

  models: (ids) => ({
    data: ids.map((id) => ({ type: 'model', id, display_name: `Fake ${id}`, created_at: '2026-10-01T00:00:00Z' })),
    has_more: false,
    first_id: ids[0] ?? null,
    last_id: ids.at(-1) ?? null,
  }),
};

function envelope(
  { id, model }: Completion,
  content: readonly object[],
  stop: string | null,
  usage: Record<string, unknown> | undefined,
): object {
  const ending = { stop_reason: stop, stop_sequence: null, stop_details: null, container: null, diagnostics: null };
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model, content, ...ending, ...(usage && { usage }) };
}

const textBlock = (text: string): object => ({ type: 'text', text, citations: null });

const toolBlock = ({ id, tool }: Completion, input: unknown): object => ({
  type: 'tool_use',
  id: `toolu_${id}`,
  name: tool,
  input,
  caller: { type: 'direct' },
});

/** Arguments that an output limit cut short are no JSON any more; the real provider then reports what it could read. */
function toolInput(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return {};
  }
}

function stopReason({ hitLimit, tool }: Completion): string {
  if (hitLimit) return 'max_tokens';
  return tool === undefined ? 'end_turn' : 'tool_use';
}

/** Anthropic counts cached tokens beside `input_tokens`, not in it. */
function usageOf(tokens: Tokens, serviceTier = 'standard'): Record<string, unknown> {
  return {
    ...finalUsageOf(tokens),
    cache_creation: { ephemeral_5m_input_tokens: tokens.cacheWrite5m, ephemeral_1h_input_tokens: tokens.cacheWrite1h },
    service_tier: serviceTier,
    speed: 'standard',
    inference_geo: 'global',
  };
}

/** The cumulative counts of the last event, which know no split of the cache writes. */
function finalUsageOf(tokens: Tokens): Record<string, unknown> {
  return {
    input_tokens: tokens.input,
    cache_creation_input_tokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
    cache_read_input_tokens: tokens.cacheRead,
    output_tokens: tokens.output,
    output_tokens_details: { thinking_tokens: tokens.reasoning },
    server_tool_use: null,
  };
}

interface Usual {
  readonly type: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const UNEXPECTED: Usual = {
  type: 'api_error',
  message: `Internal server error (organization ${ACCOUNT}, cell us-east5-b)`,
};

const ERRORS: Readonly<Record<number, Usual>> = {
  400: { type: 'invalid_request_error', message: 'prompt is too long: 210000 tokens > 200000 maximum' },
  401: { type: 'authentication_error', message: 'invalid x-api-key' },
  403: { type: 'permission_error', message: `Your API key for organization ${ACCOUNT} may not use this resource.` },
  404: { type: 'not_found_error', message: 'The requested resource could not be found' },
  413: { type: 'request_too_large', message: 'Request exceeds the maximum size' },
  429: {
    type: 'rate_limit_error',
    message: `This request would exceed your organization's rate limit of 400,000 input tokens per minute (org: ${ACCOUNT})`,
    headers: { 'retry-after': '7', 'anthropic-ratelimit-tokens-remaining': '0' },
  },
  529: { type: 'overloaded_error', message: 'Overloaded', headers: { 'x-should-retry': 'true' } },
};
