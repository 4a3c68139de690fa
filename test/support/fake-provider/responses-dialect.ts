import type { Tokens } from './behaviour';
import { type Completion, reported } from './completion';
import type { Dialect, StreamEvent } from './dialect';
import { openaiDialect } from './openai-dialect';

const CREATED = 1_760_000_000;
/** What OpenAI pads deltas with, so that their lengths tell nothing of their words. */
const PADDING = 'x7Qa';
const THOUGHT = 'gAAAAABmYWtl';

/** Responses as the OpenAI API reference and the `openai` SDK's types describe them. */
export const responsesDialect: Dialect = {
  ...openaiDialect,
  completionPath: '/v1/responses',

  refusal(json) {
    if (typeof json['model'] !== 'string')
      return { status: 400, message: 'you must provide a model parameter', code: null };
    if (json['input'] === undefined)
      return { status: 400, message: "Missing required parameter: 'input'.", code: 'missing_required_parameter' };
    if (json['store'] !== false)
      return { status: 400, message: 'this account must not keep anything, and store is not false' };
    return undefined;
  },

  outputLimit: ({ max_output_tokens: limit }) => (typeof limit === 'number' ? limit : undefined),
  choices: () => 1,

  *events(completion, json, report): Generator<StreamEvent> {
    let number = 0;
    const sent = (type: string, more: object, tokens?: number): StreamEvent => ({
      name: type,
      data: { type, sequence_number: number++, ...more, ...(completion.extras && { future_field: { deep: [1] } }) },
      ...(tokens !== undefined && { tokens }),
    });
    const begun = { ...envelope(completion, json, 'in_progress'), output: [], usage: null };
    yield sent('response.created', { response: begun });
    yield sent('response.in_progress', { response: begun });
    let index = 0;
    if (completion.tokens.reasoning > 0) {
      const { encrypted_content: _, ...empty } = reasoning(completion);
      yield sent('response.output_item.added', { output_index: index, item: empty }, completion.tokens.reasoning);
      yield sent('response.output_item.done', { output_index: index++, item: reasoning(completion) });
    }
    if (completion.extras) yield sent('response.future_event', { output_index: index });
    yield* completion.tool === undefined ? writing(completion, index, sent) : calling(completion, index, sent);
    const status = completion.hitLimit ? 'incomplete' : 'completed';
    yield sent(`response.${status}`, { response: ended(completion, json, report) });
  },

  whole: (completion, report, json) => ended(completion, json, report),

  errorEvent: () => ({
    name: 'error',
    data: {
      ...{ type: 'error', sequence_number: 9, code: 'server_error', param: null },
      message: (openaiDialect.errorEvent('').data as { error: { message: string } }).error.message,
    },
  }),
};

type Send = (type: string, more: object, tokens?: number) => StreamEvent;

function* writing(completion: Completion, index: number, sent: Send): Generator<StreamEvent> {
  const item = { item_id: `msg_${completion.id}`, output_index: index, content_index: 0 };
  const text = completion.pieces.join('');
  yield sent('response.output_item.added', { output_index: index, item: message(completion, 'in_progress', []) });
  yield sent('response.content_part.added', { ...item, part: part('') });
  for (const delta of completion.pieces)
    yield sent('response.output_text.delta', { ...item, delta, logprobs: [], obfuscation: PADDING }, 1);
  yield sent('response.output_text.done', { ...item, text, logprobs: [] });
  yield sent('response.content_part.done', { ...item, part: part(text) });
  yield sent('response.output_item.done', { output_index: index, item: answer(completion) });
}

function* calling(completion: Completion, index: number, sent: Send): Generator<StreamEvent> {
  const at = { item_id: `fc_${completion.id}`, output_index: index };
  const begun = { ...call(completion), status: 'in_progress', arguments: '' };
  yield sent('response.output_item.added', { output_index: index, item: begun });
  for (const delta of completion.pieces)
    yield sent('response.function_call_arguments.delta', { ...at, delta, obfuscation: PADDING }, 1);
  yield sent('response.function_call_arguments.done', { ...at, arguments: completion.pieces.join('') });
  yield sent('response.output_item.done', { output_index: index, item: answer(completion) });
}

function ended(
  completion: Completion,
  json: Readonly<Record<string, unknown>>,
  report: Parameters<typeof reported>[1],
): object {
  const status = completion.hitLimit ? 'incomplete' : 'completed';
  const thoughts = completion.tokens.reasoning > 0 ? [reasoning(completion)] : [];
  return {
    ...envelope(completion, json, status),
    incomplete_details: completion.hitLimit ? { reason: 'max_output_tokens' } : null,
    output: [...thoughts, answer(completion)],
    usage: reported(usageOf(completion.tokens), report) ?? null,
    ...(completion.extras && { future_field: { deep: [1] } }),
  };
}

/** The response repeats what it was asked with. */
const envelope = (
  { id, model, serviceTier = 'default' }: Completion,
  { instructions = null, tools = [], max_output_tokens: limit = null }: Readonly<Record<string, unknown>>,
  status: string,
): object => ({
  ...{ id: `resp_${id}`, object: 'response', created_at: CREATED, status, error: null, incomplete_details: null },
  ...{ instructions, max_output_tokens: limit, model, parallel_tool_calls: true, previous_response_id: null },
  ...{ service_tier: serviceTier, store: false, tool_choice: 'auto', tools, metadata: {} },
});

const part = (text: string): object => ({ type: 'output_text', annotations: [], logprobs: [], text });

const message = ({ id }: Completion, status: string, content: readonly object[]): object => ({
  ...{ id: `msg_${id}`, type: 'message', status, role: 'assistant', content },
});

const call = ({ id, tool, pieces }: Completion): object => ({
  ...{ id: `fc_${id}`, type: 'function_call', status: 'completed', call_id: `call_${id}`, name: tool },
  arguments: pieces.join(''),
});

const answer = (completion: Completion): object =>
  completion.tool === undefined
    ? message(completion, completion.hitLimit ? 'incomplete' : 'completed', [part(completion.pieces.join(''))])
    : call(completion);

const reasoning = ({ id }: Completion) => ({
  ...{ id: `rs_${id}`, type: 'reasoning', summary: [], encrypted_content: THOUGHT },
});

/** OpenAI counts cached tokens inside `input_tokens`. */
function usageOf(tokens: Tokens): Record<string, unknown> {
  const cacheWrite = tokens.cacheWrite5m + tokens.cacheWrite1h;
  const input = tokens.input + tokens.cacheRead + cacheWrite;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: tokens.cacheRead, cache_write_tokens: cacheWrite },
    output_tokens: tokens.output,
    output_tokens_details: { reasoning_tokens: tokens.reasoning },
    total_tokens: input + tokens.output,
  };
}
