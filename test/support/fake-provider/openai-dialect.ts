import { ACCOUNT } from './account';
import type { ErrorAnswer, Tokens } from './behaviour';
import { type Completion, reported } from './completion';
import type { Dialect, StreamEvent } from './dialect';

const CREATED = 1_760_000_000;
const STAMP = { created: CREATED, service_tier: 'default', system_fingerprint: 'fp_fake' } as const;

const stampOf = ({ serviceTier = STAMP.service_tier }: Completion): object => ({ ...STAMP, service_tier: serviceTier });

/** Chat completions as the OpenAI API reference and the `openai` SDK's types describe them. */
export const openaiDialect: Dialect = {
  name: 'openai',
  completionPath: '/v1/chat/completions',
  requestIdHeader: 'x-request-id',
  accountHeaders: {
    'openai-organization': ACCOUNT,
    'openai-project': `proj_${ACCOUNT}`,
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'x-ratelimit-limit-requests': '500',
    'x-ratelimit-limit-tokens': '200000',
    'x-ratelimit-remaining-requests': '499',
    'x-ratelimit-remaining-tokens': '199000',
    'x-ratelimit-reset-requests': '120ms',
    'x-ratelimit-reset-tokens': '300ms',
    'set-cookie': `__cf_bm=${ACCOUNT}; path=/; HttpOnly; Secure`,
  },

  refusal(json) {
    if (typeof json['model'] !== 'string')
      return { status: 400, message: 'you must provide a model parameter', code: null };
    if (!Array.isArray(json['messages'])) {
      return { status: 400, message: "Missing required parameter: 'messages'.", code: 'missing_required_parameter' };
    }
    if (json['stream_options'] !== undefined && json['stream_options'] !== null && json['stream'] !== true) {
      const message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
      return { status: 400, message, code: null };
    }
    return undefined;
  },

  outputLimit(json) {
    const limit = json['max_completion_tokens'] ?? json['max_tokens'];
    return typeof limit === 'number' ? limit : undefined;
  },

  choices: (json) => (typeof json['n'] === 'number' ? json['n'] : 1),

  *events(completion, json, report): Generator<StreamEvent> {
    const withUsage = includesUsage(json);
    const base = {
      id: `chatcmpl-${completion.id}`,
      object: 'chat.completion.chunk',
      model: completion.model,
      ...stampOf(completion),
    };
    const end = withUsage ? { usage: null } : {};
    const chunk = (index: number, delta: object, finish: string | null = null): object => {
      const choice = { index, delta, logprobs: null, finish_reason: finish };
      return {
        ...base,
        choices: [choice],
        ...end,
        ...(completion.extras ? { obfuscation: 'x7Qa', future_field: { deep: [1] } } : {}),
      };
    };
    const indexes = Array.from({ length: completion.choices }, (_, index) => index);

    for (const index of indexes) yield { data: chunk(index, opening(completion)) };
    if (completion.extras)
      yield { name: 'future.event', data: { ...base, object: 'future.event', choices: [], ...end } };
    for (const piece of completion.pieces) {
      for (const index of indexes) yield { data: chunk(index, delta(completion, piece)), tokens: 1 };
    }
    for (const index of indexes) yield { data: chunk(index, {}, finishReason(completion)) };
    const usage = reported(usageOf(completion.tokens), report);
    if (withUsage && usage) yield { data: { ...base, choices: [], usage } };
    yield { data: '[DONE]' };
  },

  whole(completion, report) {
    const usage = reported(usageOf(completion.tokens), report);
    const choices = Array.from({ length: completion.choices }, (_, index) => ({
      index,
      message: message(completion),
      logprobs: null,
      finish_reason: finishReason(completion),
    }));
    const base = {
      id: `chatcmpl-${completion.id}`,
      object: 'chat.completion',
      model: completion.model,
      ...stampOf(completion),
    };
    return { ...base, choices, ...(usage && { usage }), ...(completion.extras && { future_field: { deep: [1] } }) };
  },

  error(answer) {
    const usual = ERRORS[answer.status] ?? UNEXPECTED;
    const { message, type, code } = { ...usual, ...defined(answer) };
    return { headers: { ...usual.headers, ...answer.headers }, body: { error: { message, type, param: null, code } } };
  },

  errorEvent: () => ({
    data: { error: { message: UNEXPECTED.message, type: 'server_error', param: null, code: null } },
  }),

  models: (ids) => ({
    object: 'list',
    data: ids.map((id) => ({ id, object: 'model', created: CREATED, owned_by: ACCOUNT })),
  }),
};

function includesUsage(json: Readonly<Record<string, unknown>>): boolean {
  const options = json['stream_options'];
  return (
    typeof options === 'object' && options !== null && 'include_usage' in options && options.include_usage === true
  );
}

function opening({ tool, id }: Completion): object {
  if (tool === undefined) return { role: 'assistant', content: '', refusal: null };
  const call = { index: 0, id: `call_${id}`, type: 'function', function: { name: tool, arguments: '' } };
  return { role: 'assistant', content: null, refusal: null, tool_calls: [call] };
}

function delta({ tool }: Completion, piece: string): object {
  return tool === undefined ? { content: piece } : { tool_calls: [{ index: 0, function: { arguments: piece } }] };
}

function message({ tool, id, pieces }: Completion): object {
  const written = pieces.join('');
  if (tool === undefined) return { role: 'assistant', content: written, refusal: null, annotations: [] };
  const call = { id: `call_${id}`, type: 'function', function: { name: tool, arguments: written } };
  return { role: 'assistant', content: null, refusal: null, annotations: [], tool_calls: [call] };
}

function finishReason({ hitLimit, tool }: Completion): string {
  if (hitLimit) return 'length';
  return tool === undefined ? 'stop' : 'tool_calls';
}

/** OpenAI counts cached tokens inside `prompt_tokens`. */
function usageOf(tokens: Tokens): Record<string, unknown> {
  const cacheWrite = tokens.cacheWrite5m + tokens.cacheWrite1h;
  const prompt = tokens.input + tokens.cacheRead + cacheWrite;
  return {
    prompt_tokens: prompt,
    completion_tokens: tokens.output,
    total_tokens: prompt + tokens.output,
    prompt_tokens_details: { cached_tokens: tokens.cacheRead, cache_write_tokens: cacheWrite, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: tokens.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

interface Usual {
  readonly message: string;
  readonly type: string;
  readonly code: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

const UNEXPECTED: Usual = {
  message: `The server had an error while processing your request for organization ${ACCOUNT}. Sorry about that!`,
  type: 'server_error',
  code: null,
};

const ERRORS: Readonly<Record<number, Usual>> = {
  400: {
    message: "This model's maximum context length is 128000 tokens. However, your messages resulted in 210000 tokens.",
    type: 'invalid_request_error',
    code: 'context_length_exceeded',
  },
  401: {
    message: `Incorrect API key provided: sk-${ACCOUNT}****. You can find your API key at https://platform.openai.com.`,
    type: 'invalid_request_error',
    code: 'invalid_api_key',
  },
  403: {
    message: `Project proj_${ACCOUNT} does not have access to this model.`,
    type: 'invalid_request_error',
    code: 'model_not_found',
  },
  404: {
    message: 'The model does not exist or you do not have access to it.',
    type: 'invalid_request_error',
    code: 'model_not_found',
  },
  429: {
    message: `Rate limit reached in organization ${ACCOUNT} on tokens per min (TPM): Limit 200000, Used 199990.`,
    type: 'tokens',
    code: 'rate_limit_exceeded',
    headers: { 'retry-after': '7', 'retry-after-ms': '7000', 'x-ratelimit-remaining-tokens': '0' },
  },
  503: { message: 'The engine is currently overloaded, please try again later', type: 'server_error', code: null },
};

function defined({ message, type, code }: ErrorAnswer): Partial<Usual> {
  return {
    ...(message !== undefined && { message }),
    ...(type !== undefined && { type }),
    ...(code !== undefined && { code }),
  };
}
