import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';
import { createDepartment, eventually, offerFakeModels, type Department } from '../support/department';
import { FakeProvider, type ReceivedRequest } from '../support/fake-provider';
import { anthropicClient, collect, failureOf, openaiClient } from '../support/fake-provider/sdk-clients';
import { Gateway } from '../support/gateway';

/** The official SDKs against providers that speak another dialect: what they see, and what the ledger has of it. */
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;
let openai: OpenAI;
let anthropic: Anthropic;

const MODELS = { chat: 'open', responses: 'own', messages: 'claude', gemini: 'google' } as const;
type Provider = keyof typeof MODELS;

beforeAll(async () => {
  fake = await FakeProvider.start();
  const common = { baseUrl: fake.url, apiKey: fake.apiKey, internal: true };
  gateway = await Gateway.start({
    providers: {
      open: { dialect: 'openai', ...common },
      own: { dialect: 'openai', responses: true, ...common },
      claude: { dialect: 'anthropic', ...common },
      google: { dialect: 'gemini', ...common },
    },
  });
  await offerFakeModels(
    gateway,
    Object.fromEntries(Object.entries(MODELS).map(([wire, provider]) => [`${wire}/fake*`, provider])),
  );
  department = await createDepartment(gateway, { budget: '100.00' });
  openai = openaiClient(gateway.url, department.token);
  anthropic = anthropicClient(gateway.url, department.token);
});
afterAll(async () => {
  await gateway.remove();
  await fake.close();
});

/** What a client of any dialect has seen of an answer, and of its usage. */
interface Seen {
  readonly text: string;
  readonly call: { readonly name: string; readonly input: unknown } | null;
  readonly stop: string | null | undefined;
  /** All of the input, whatever part of it the dialect counts apart. */
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

const isCall = (item: OpenAI.Responses.ResponseOutputItem): item is OpenAI.Responses.ResponseFunctionToolCall =>
  item.type === 'function_call';

const SCHEMA = { type: 'object' as const, properties: { city: { type: 'string' } } };

const CLIENTS = {
  chat: async (model: string, stream: boolean): Promise<Seen> => {
    const request = {
      model,
      max_completion_tokens: 500,
      messages: [{ role: 'user' as const, content: 'Weather?' }],
      tools: [{ type: 'function' as const, function: { name: 'get_weather', parameters: SCHEMA } }],
    };
    const answer = stream
      ? await openai.chat.completions
          .stream({ ...request, stream_options: { include_usage: true } })
          .finalChatCompletion()
      : await openai.chat.completions.create(request);
    const [choice] = answer.choices;
    const [call] = choice?.message.tool_calls ?? [];
    return {
      text: choice?.message.content ?? '',
      call: call?.type === 'function' ? { name: call.function.name, input: JSON.parse(call.function.arguments) } : null,
      stop: choice?.finish_reason,
      input: answer.usage?.prompt_tokens ?? -1,
      cached: answer.usage?.prompt_tokens_details?.cached_tokens ?? -1,
      output: answer.usage?.completion_tokens ?? -1,
    };
  },
  responses: async (model: string, stream: boolean): Promise<Seen> => {
    const request = {
      model,
      max_output_tokens: 500,
      input: 'Weather?',
      tools: [{ type: 'function' as const, name: 'get_weather', parameters: SCHEMA, strict: false }],
    };
    const answer: OpenAI.Responses.Response = stream
      ? await openai.responses.stream(request).finalResponse()
      : await openai.responses.create(request);
    const call = answer.output.find(isCall);
    return {
      text: answer.output_text,
      call: call ? { name: call.name, input: JSON.parse(call.arguments) } : null,
      stop: answer.incomplete_details?.reason ?? answer.status,
      input: answer.usage?.input_tokens ?? -1,
      cached: answer.usage?.input_tokens_details.cached_tokens ?? -1,
      output: answer.usage?.output_tokens ?? -1,
    };
  },
  messages: async (model: string, stream: boolean): Promise<Seen> => {
    const request = {
      model,
      max_tokens: 500,
      messages: [{ role: 'user' as const, content: 'Weather?' }],
      tools: [{ name: 'get_weather', input_schema: SCHEMA }],
    };
    const answer = stream
      ? await anthropic.messages.stream(request).finalMessage()
      : await anthropic.messages.create(request);
    const call = answer.content.find((block) => block.type === 'tool_use');
    const { input_tokens: input, cache_read_input_tokens: cached, cache_creation_input_tokens: written } = answer.usage;
    return {
      text: answer.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(''),
      call: call ? { name: call.name, input: call.input } : null,
      stop: answer.stop_reason,
      input: input + (cached ?? 0) + (written ?? 0),
      cached: cached ?? -1,
      output: answer.usage.output_tokens,
    };
  },
};
type Client = keyof typeof CLIENTS;

const PAIRS: readonly (readonly [Client, Provider])[] = [
  ['chat', 'messages'],
  ['chat', 'gemini'],
  ['responses', 'chat'],
  ['responses', 'messages'],
  ['responses', 'gemini'],
  ['messages', 'chat'],
  ['messages', 'responses'],
  ['messages', 'gemini'],
];

const PATHS: Readonly<Record<Provider, RegExp>> = {
  chat: /^\/v1\/chat\/completions$/,
  responses: /^\/v1\/responses$/,
  messages: /^\/v1\/messages$/,
  gemini: /^\/v1beta\/models\/gemini%2Ffake[^/:]*:(generateContent|streamGenerateContent)$/,
};

interface Row {
  readonly model: string;
  readonly status: string;
  readonly tokens: { input: number; cacheRead: number; output: number; reasoning: number };
}

/** The ledger's newest row, once it is the one of this model. */
async function rowOf(model: string): Promise<Row> {
  const [row] = await eventually(
    async () =>
      (
        await gateway.must<{ items: Row[] }>(
          'GET',
          '/api/v1/tenant/usage/requests?limit=1',
          undefined,
          department.token,
        )
      ).items,
    ([newest]) => newest?.model === model,
  );
  return row as Row;
}

const asked = (): ReceivedRequest => fake.requests.at(-1) as ReceivedRequest;

describe.each(PAIRS)('%s to a provider of %s', (client, provider) => {
  it.each([
    ['whole', false],
    ['streamed', true],
  ])('gives a text %s, with exact usage', async (how, stream) => {
    // A name of its own for each call, so that the ledger's row cannot be that of another.
    const model = `${provider}/fake-n5-c40-r3-i${client.length + 100 + Number(stream)}`;
    const seen = await CLIENTS[client](model, stream);
    const { charged, path, rawHeaders } = asked();
    expect(path).toMatch(PATHS[provider]);
    expect(seen).toEqual({
      text: 'lorem '.repeat(5),
      call: null,
      stop: { chat: 'stop', responses: 'completed', messages: 'end_turn' }[client],
      input: charged.input + 40,
      cached: 40,
      output: 8,
    });
    const { status, tokens } = await rowOf(model);
    expect({ how, status, ...tokens }).toMatchObject({
      ...{ how, status: 'actual', input: charged.input, cacheRead: 40 },
      // The fake of Anthropic tells the thinking within the output; the ledger has it apart everywhere.
      ...{ output: 5, reasoning: 3 },
    });
    expect(rawHeaders.flat().join()).not.toContain(department.token);
  });

  it.each([false, true])('gives a call of a tool (streamed: %s)', async (stream) => {
    const seen = await CLIENTS[client](`${provider}/fake-tools`, stream);
    expect(seen).toMatchObject({
      call: { name: 'get_weather', input: { city: 'Zürich', days: [1, 2, 3] } },
      stop: { chat: 'tool_calls', responses: 'completed', messages: 'tool_use' }[client],
    });
  });

  it('gives an answer that reached its limit', async () => {
    expect((await CLIENTS[client](`${provider}/fake-n900`, true)).stop).toBe(
      { chat: 'length', responses: 'max_output_tokens', messages: 'max_tokens' }[client],
    );
  });

  it('tells errors as the SDK knows them, in the words of the provider', async () => {
    expect(await failureOf(CLIENTS[client](`${provider}/fake-e400`, false))).toMatchObject({ status: 400 });
    expect(await failureOf(CLIENTS[client](`${provider}/fake-e429`, false))).toMatchObject({ status: 429 });
    expect(await failureOf(CLIENTS[client](`${provider}/fake-e401`, false))).toMatchObject({ status: 502 });
  });

  it('lets no stream that broke off look complete', async () => {
    for (const broken of ['fake-n9-x4', 'fake-n9-t4', 'fake-n9-y4'])
      expect(await failureOf(CLIENTS[client](`${provider}/${broken}`, true))).toBeInstanceOf(Error);
  });

  it('keeps characters whole, however the stream is cut', async () => {
    const { text } = await CLIENTS[client](`${provider}/fake-n4-emoji-b3-crlf`, true);
    expect(text).toBe('ü👩‍🚀 '.repeat(4));
  });
});

test('what the provider has no words for is named in a header', async () => {
  const { response } = await anthropic.messages
    .create({
      model: 'chat/fake-n1',
      max_tokens: 50,
      ...{ top_k: 4 },
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: 'Hello!' }],
    })
    .withResponse();
  expect(response.headers.get('x-openclawmu-dropped')).toBe('cache_control, top_k');
  expect(asked().json).toEqual({
    model: 'chat/fake-n1',
    max_tokens: 50,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello!' },
    ],
  });
});

test('a name that fits no header does not cost the answer', async () => {
  const { data, response } = await openai.chat.completions
    .create({ model: 'messages/fake-n2', messages: [{ role: 'user', content: 'Hello!' }], ...{ '日本\n': 1 } })
    .withResponse();
  expect(data.choices[0]?.message.content).toBe('lorem '.repeat(2));
  expect(response.headers.get('x-openclawmu-dropped')).toBe('???');
});

test('what would mean something else is refused, and costs nothing', async () => {
  const before = fake.requests.length;
  const failure = await failureOf(
    openai.chat.completions.create({ model: 'gemini/fake', n: 2, messages: [{ role: 'user', content: 'Hello!' }] }),
  );
  expect(failure).toMatchObject({ status: 400, error: { gateway_code: 'not_expressible' } });
  expect(fake.requests).toHaveLength(before);
});

test('a limit that the budget sets reaches a provider of another dialect', async () => {
  const { token } = await createDepartment(gateway, { budget: '0.012' });
  await gateway.must('PATCH', '/api/v1/tenant', { settings: { clampOutput: true } }, token);
  const request = { model: 'gemini/fake-n2', messages: [{ role: 'user' as const, content: 'Hello!' }] };
  const client = openaiClient(gateway.url, token);
  const answered = await eventually(
    () =>
      client.chat.completions
        .create(request)
        .withResponse()
        .catch(() => null),
    (answer) => answer !== null,
  );
  const { data, response } = answered as NonNullable<typeof answered>;
  const clamped = Number(response.headers.get('x-openclawmu-output-clamped'));
  expect(clamped).toBeGreaterThan(0);
  expect(asked().json['generationConfig']).toEqual({ maxOutputTokens: clamped });
  expect(data.choices[0]?.message.content).toBe('lorem lorem ');
});

test('thoughts and signatures of one provider come back to it through a client of another dialect', async () => {
  const tools = [{ type: 'function' as const, name: 'get_weather', parameters: SCHEMA, strict: false }];
  const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Weather?' }];
  const first = await openai.responses.create({ model: 'gemini/fake-tools-r5', input, tools });
  const call = first.output.find(isCall);
  await openai.responses.create({
    model: 'gemini/fake-n1',
    tools,
    input: [
      ...input,
      ...(first.output as OpenAI.Responses.ResponseInputItem[]),
      { type: 'function_call_output', call_id: call?.call_id ?? '', output: 'rain' },
    ],
  });
  const [, answer, result] = asked().json['contents'] as { role: string; parts: Record<string, unknown>[] }[];
  expect(answer?.parts.at(-1)).toMatchObject({
    functionCall: { name: 'get_weather', args: { city: 'Zürich' } },
    thoughtSignature: 'RmFrZVNpZ25hdHVyZQ==',
  });
  expect(result?.parts[0]).toMatchObject({ functionResponse: { name: 'get_weather', response: { output: 'rain' } } });
});

test('events of a translated response are complete and in order', async () => {
  const stream = openai.responses.create({ model: 'messages/fake-n3-r2', input: 'Hello!', stream: true });
  const events = await collect(stream);
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  expect(events.map(({ type }) => type)).toEqual([
    ...['response.created', 'response.in_progress', 'response.output_item.added'],
    ...['response.reasoning_summary_part.added', 'response.reasoning_summary_text.delta'],
    ...['response.reasoning_summary_text.done', 'response.reasoning_summary_part.done', 'response.output_item.done'],
    ...['response.output_item.added', 'response.content_part.added'],
    ...Array<string>(3).fill('response.output_text.delta'),
    ...['response.output_text.done', 'response.content_part.done', 'response.output_item.done', 'response.completed'],
  ]);
});
