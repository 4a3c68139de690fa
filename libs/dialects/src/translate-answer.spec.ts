import { CodedError } from '@app/platform';
import { RECALL } from '../fixtures/set-up';
import type { ClientFormat, ProviderFormat } from './format';
import { StreamTranslator } from './stream-translator';
import { translateAnswer } from './translate-answer';
import { errorType, readError, writeError } from './translate-error';

const answer = (from: ProviderFormat, to: ClientFormat, body: object): Record<string, unknown> =>
  JSON.parse(translateAnswer(from, to, Buffer.from(JSON.stringify(body)), RECALL).toString()) as Record<
    string,
    unknown
  >;

const chat = (finish_reason: string, message: object = { content: 'x' }) => ({ choices: [{ message, finish_reason }] });
const gemini = (finishReason: string) => ({ candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason }] });
const responses = (status: string, reason?: string) => ({
  status,
  incomplete_details: reason ? { reason } : null,
  output: [{ type: 'message', content: [{ type: 'output_text', text: 'x' }] }],
});
const refusing = {
  status: 'completed',
  output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }],
};
const messages = (stop_reason: string) => ({
  content: [{ type: 'text', text: 'x' }],
  stop_reason,
  stop_sequence: 'END',
});

describe('why an answer ended', () => {
  it.each<[ProviderFormat, object, string, string, string]>([
    ['chat', chat('stop'), 'stop', 'end_turn', 'completed'],
    ['chat', chat('length'), 'length', 'max_tokens', 'max_output_tokens'],
    ['chat', chat('content_filter'), 'content_filter', 'refusal', 'content_filter'],
    ['chat', chat('stop', { refusal: 'No.' }), 'stop', 'refusal', 'completed'],
    ['chat', chat('content_filter', { refusal: 'No.' }), 'content_filter', 'refusal', 'content_filter'],
    ['messages', messages('stop_sequence'), 'stop', 'stop_sequence', 'completed'],
    ['messages', messages('refusal'), 'content_filter', 'refusal', 'content_filter'],
    [
      'messages',
      messages('model_context_window_exceeded'),
      'length',
      'model_context_window_exceeded',
      'max_output_tokens',
    ],
    ['responses', responses('completed'), 'stop', 'end_turn', 'completed'],
    ['responses', responses('incomplete', 'max_output_tokens'), 'length', 'max_tokens', 'max_output_tokens'],
    ['responses', responses('incomplete', 'content_filter'), 'content_filter', 'refusal', 'content_filter'],
    ['responses', refusing, 'stop', 'refusal', 'completed'],
    ['gemini', gemini('STOP'), 'stop', 'end_turn', 'completed'],
    ['gemini', gemini('MAX_TOKENS'), 'length', 'max_tokens', 'max_output_tokens'],
    ['gemini', gemini('SAFETY'), 'content_filter', 'refusal', 'content_filter'],
    ['gemini', { promptFeedback: { blockReason: 'SAFETY' } }, 'content_filter', 'refusal', 'content_filter'],
  ])('%s: %j', (from, body, asChat, asMessages, asResponses) => {
    const told = answer(from, 'chat', body) as { choices: { finish_reason: string }[] };
    expect(told.choices[0]?.finish_reason).toBe(asChat);
    expect(answer(from, 'messages', body)['stop_reason']).toBe(asMessages);
    const response = answer(from, 'responses', body) as {
      status: string;
      incomplete_details: { reason: string } | null;
    };
    expect(response.incomplete_details?.reason ?? response.status).toBe(asResponses);
  });
});

it('stands in with its own id and the name the client used', () => {
  expect(answer('gemini', 'chat', gemini('STOP'))).toMatchObject({ id: 'chatcmpl-req_1', model: 'public', created: 1 });
});

it.each<[ProviderFormat, string]>([
  ['chat', '{"choices":[]}'],
  ['messages', '{}'],
  ['responses', '{"output":[],"status":"failed"}'],
  ['gemini', 'half of a JS'],
])('refuses what is no answer of %s', (from, body) => {
  expect(() => translateAnswer(from, 'chat', Buffer.from(body), RECALL)).toThrow(CodedError);
});

it('tells logprobs of Google as OpenAI does', () => {
  const body = {
    candidates: [
      {
        content: { parts: [{ text: 'ü' }] },
        logprobsResult: {
          chosenCandidates: [{ token: 'ü', logProbability: -0.1 }],
          topCandidates: [{ candidates: [{ token: 'u', logProbability: -2 }] }],
        },
      },
    ],
  };
  expect(answer('gemini', 'chat', body)['choices']).toMatchObject([
    {
      logprobs: {
        content: [
          {
            token: 'ü',
            logprob: -0.1,
            bytes: [0xc3, 0xbc],
            top_logprobs: [{ token: 'u', logprob: -2, bytes: [0x75] }],
          },
        ],
      },
    },
  ]);
});

describe('calls in a stream', () => {
  const stream = (chunks: object[], to: ClientFormat = 'messages'): string => {
    const translator = new StreamTranslator('chat', to, RECALL);
    const bytes = chunks.map((delta) => `data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`).join('');
    return translator.push(Buffer.from(`${bytes}data: [DONE]\n\n`)).toString();
  };
  const call = (index: number, id: string, args: string) => ({
    tool_calls: [{ index, id, function: { name: 'f', arguments: args } }],
  });

  it('are told apart by their ids where a server gives all one index', () => {
    const written = stream([call(0, 'a', '{}'), call(0, 'b', '{}')]);
    expect(written.match(/"type":"tool_use"/g)).toHaveLength(2);
  });

  it('are one where a server repeats id and name in each fragment', () => {
    const written = stream([call(0, 'a', '{"x":'), call(0, 'a', '1}')]);
    expect(written.match(/"type":"tool_use"/g)).toHaveLength(1);
  });

  it('without arguments have an empty object', () => {
    expect(stream([call(0, 'a', '')])).toContain('"partial_json":"{}"');
  });

  const more = (index: number, args: string) => ({ tool_calls: [{ index, function: { arguments: args } }] });

  it('that are taken up again when they were whole break the stream off', () => {
    expect(() => stream([call(0, 'a', '{}'), call(1, 'b', ''), more(0, '}')])).toThrow(CodedError);
    expect(stream([call(0, 'a', '{}'), call(1, 'b', ''), more(0, '\n')])).toContain('message_stop');
  });

  /** Id and arguments of each call, in the order in which they are told. */
  const told = (written: string): string[] =>
    [
      ...written.matchAll(/"type":"tool_use","id":"(\w+)"|"partial_json":"((?:[^"\\]|\\.)*)"|("content_block_stop)/g),
    ].map(([, id, args, stop]) => id ?? (stop ? '.' : (JSON.parse(`"${args}"`) as string)));

  it('that are told in turns wait for each other', () => {
    const chunks = [
      call(0, 'a', ''),
      call(1, 'b', '{"y"'),
      more(0, '{"x":{}'),
      more(1, ':2}'),
      call(2, 'c', ''),
      more(2, '{'),
    ];
    expect(told(stream(chunks.concat(more(0, '}'), more(2, '}'))))).toEqual([
      ...['a', '{"x":{}', '}', '.'],
      ...['b', '{"y":2}', '.'],
      ...['c', '{', '}', '.'],
    ]);
    // Of what never becomes whole all is told at the end.
    expect(told(stream(chunks))).toEqual(['a', '{"x":{}', '.', 'b', '{"y":2}', '.', 'c', '{', '.']);
    expect(told(stream([...chunks, { content: 'So.' }]))).toEqual([
      'a',
      '{"x":{}',
      '.',
      'b',
      '{"y":2}',
      '.',
      'c',
      '{',
      '.',
      '.',
    ]);
  });

  it('wait for nothing where the one before is whole', () => {
    const translator = new StreamTranslator('chat', 'messages', RECALL);
    const push = (delta: object) =>
      translator.push(Buffer.from(`data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`));
    push(call(0, 'a', '{"x":1}'));
    expect(told(push(call(1, 'b', '')).toString())).toEqual(['.', 'b']);
    expect(told(push(more(1, '{"y"')).toString())).toEqual(['{"y"']);
    push(call(2, 'c', '{}'));
    push(call(3, 'd', '{"z"'));
    expect(told(push(more(1, ':2}')).toString())).toEqual([':2}', '.', 'c', '{}', '.', 'd', '{"z"']);
  });
});

it('tells usage at the end of a chat stream only if asked', () => {
  const stream = Buffer.from(
    'data: {"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3}}\n\n',
  );
  const run = (usageAsked: boolean): string => {
    const translator = new StreamTranslator('gemini', 'chat', { ...RECALL, usageAsked });
    return translator.push(stream).toString() + translator.flush().toString();
  };
  expect(run(true)).toContain('"usage":{"prompt_tokens":3');
  expect(run(false)).not.toContain('usage');
});

it('reads an event without a line end at the end of a stream', () => {
  const translator = new StreamTranslator('messages', 'chat', RECALL);
  translator.push(Buffer.from('data: {"type":"message_start","message":{"id":"m"}}\n\ndata: {"type":"message_stop"}'));
  expect(translator.flush().toString()).toContain('[DONE]');
});

it('reads the last event of a response, which repeats what it was asked and has said', () => {
  const translator = new StreamTranslator('responses', 'chat', RECALL);
  const response = { id: 'r', status: 'completed', instructions: 'x'.repeat(3 * 1024 * 1024), output: [] };
  const events = [
    { type: 'response.created', response },
    { type: 'response.completed', response },
  ];
  const bytes = Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
  const written = [0, 1, 2, 3].map((part) => translator.push(bytes.subarray(part * 2_000_000, (part + 1) * 2_000_000)));
  expect(Buffer.concat(written).toString()).toContain('[DONE]');
});

it('joins data that is spread over several lines', () => {
  const translator = new StreamTranslator('messages', 'chat', RECALL);
  const event = 'data: {"type":"content_block_delta","index":0,\ndata: "delta":{"type":"text_delta","text":"hi"}}\n\n';
  expect(translator.push(Buffer.from(event)).toString()).toContain('"content":"hi"');
});

describe('errors', () => {
  const told = (body: unknown) => readError(Buffer.from(JSON.stringify(body)))!;
  const write = (to: ClientFormat, status: number, body: unknown) =>
    JSON.parse(writeError(to, status, told(body)).toString()) as unknown;

  it.each<[string, ClientFormat, number, unknown, unknown]>([
    [
      'of OpenAI for Anthropic',
      'messages',
      400,
      { error: { message: 'Bad.', type: 'invalid_request_error', param: 'x', code: null } },
      { type: 'error', error: { type: 'invalid_request_error', message: 'Bad.' } },
    ],
    [
      'of Anthropic for OpenAI',
      'chat',
      404,
      { type: 'error', error: { type: 'not_found_error', message: 'model: x' } },
      { error: { message: 'model: x', type: 'invalid_request_error', param: null, code: null } },
    ],
    [
      'of Google for OpenAI',
      'responses',
      400,
      [{ error: { code: 400, status: 'INVALID_ARGUMENT', message: 'Bad.' } }],
      { error: { message: 'Bad.', type: 'invalid_request_error', param: null, code: null } },
    ],
    [
      'of vLLM for Anthropic, in the words that Claude Code acts on',
      'messages',
      400,
      { object: 'error', message: "This model's maximum context length is 8192 tokens. You sent 9000.", code: 400 },
      {
        type: 'error',
        error: { type: 'invalid_request_error', message: 'prompt is too long: 9000 tokens > 8192 maximum' },
      },
    ],
    [
      'of Anthropic for OpenAI, with the code that Codex acts on',
      'responses',
      400,
      { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long: 9 tokens > 8 maximum' } },
      {
        error: {
          message: 'prompt is too long: 9 tokens > 8 maximum',
          type: 'invalid_request_error',
          param: null,
          code: 'context_length_exceeded',
        },
      },
    ],
  ])('%s', (_, to, status, body, expected) => {
    expect(write(to, status, body)).toEqual(expected);
  });

  it.each([
    "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
    'input length and `max_tokens` exceed context limit: 9000 + 8000 > 8192, decrease input length or `max_tokens`',
    'Your input exceeds the context window of this model. Please adjust your input and try again.',
  ])('say that a prompt is too long: %s', (message) => {
    const told = { message, type: null, param: null, code: null };
    const written = (to: ClientFormat) =>
      JSON.parse(writeError(to, 400, told).toString()) as { error: Record<string, unknown> };
    expect(written('chat').error).toMatchObject({ message, code: 'context_length_exceeded' });
    expect(written('messages').error['message']).toMatch(/^prompt is too long/);
  });

  it('are not found in what is none', () => {
    expect(readError(Buffer.from('<html>'))).toBeNull();
    expect(readError(Buffer.from('{"choices":[]}'))).toBeNull();
  });

  it.each([
    ['UNAVAILABLE', 'overloaded_error', 'server_error'],
    ['overloaded_error', 'overloaded_error', 'server_error'],
    ['server_error', 'api_error', 'server_error'],
    ['rate_limit_error', 'rate_limit_error', 'rate_limit_error'],
    ['Account 7', null, null],
    [null, null, null],
  ])('have a type that is called %s', (type, asMessages, asChat) => {
    expect(errorType('messages', type)).toBe(asMessages);
    expect(errorType('chat', type)).toBe(asChat);
  });
});
