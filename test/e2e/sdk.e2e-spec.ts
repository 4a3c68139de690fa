import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { createDepartment, eventually, type Department } from '../support/department';
import type { FakeProvider } from '../support/fake-provider';
import { anthropicClient, collect, failureOf, openaiClient } from '../support/fake-provider/sdk-clients';
import type { Gateway } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';

/** A department's unmodified SDKs, with nothing changed but the base URL and the key. */
let world: GatewayWorld;
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  world = await GatewayWorld.open();
  ({ fake, gateway } = world);
  department = await createDepartment(gateway, { budget: '100.00' });
  openai = openaiClient(gateway.url, department.token);
  anthropic = anthropicClient(gateway.url, department.token);
});
afterAll(() => world.close());

const messages = [{ role: 'user' as const, content: 'Hello!' }];

/** One word above what the catalogue says the demonstration takes. */
async function tooLong(): Promise<{ role: 'user'; content: string }[]> {
  const { contextTokens } = await gateway.must<{ contextTokens: number }>('GET', '/api/v1/admin/models/local%2Fdemo');
  return [{ role: 'user', content: 'word '.repeat(contextTokens) }];
}

describe('the OpenAI SDK', () => {
  test('gets a whole answer', async () => {
    const answer = await openai.chat.completions.create({ model: 'fake-n5', messages });
    expect(answer.choices[0]?.message.content).toBeTruthy();
    expect(answer.usage?.completion_tokens).toBe(5);
  });

  test('streams, and sees no usage event it did not ask for', async () => {
    const chunks = await collect(openai.chat.completions.create({ model: 'fake-n5', messages, stream: true }));
    expect(chunks.flatMap((chunk) => chunk.choices).at(-1)?.finish_reason).toBe('stop');
    expect(chunks.filter((chunk) => chunk.usage)).toEqual([]);
    expect(fake.requests.at(-1)?.json).toMatchObject({ stream_options: { include_usage: true } });
  });

  test('streams with the usage event it asked for', async () => {
    const chunks = await collect(
      openai.chat.completions.create({
        model: 'fake-n5',
        messages,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(5);
  });

  test('gets a whole response, of which nothing is kept', async () => {
    const answer = await openai.responses.create({ model: 'fake-n5-r3', input: 'Hello!' });
    expect(answer.output_text).toBe('lorem '.repeat(5));
    expect(answer.usage).toMatchObject({ output_tokens: 8, output_tokens_details: { reasoning_tokens: 3 } });
    expect(fake.requests.at(-1)?.json).toEqual({ store: false, model: 'fake-n5-r3', input: 'Hello!' });
  });

  test('streams a response, events complete and in order', async () => {
    const events = await collect(openai.responses.create({ model: 'fake-n3', input: 'Hello!', stream: true }));
    expect(events.map(({ type }) => type)).toEqual([
      ...['response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added'],
      ...Array<string>(3).fill('response.output_text.delta'),
      ...['response.output_text.done', 'response.content_part.done', 'response.output_item.done', 'response.completed'],
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  });

  test('calls a tool in a response, and gets on with what it put out', async () => {
    const tools = [{ type: 'function' as const, name: 'get_weather', parameters: {}, strict: false }];
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Weather?' }];
    const first = openai.responses.stream({ model: 'fake-tools-r5', input, tools });
    const { output } = await first.finalResponse();
    const call = output.find((item) => item.type === 'function_call');
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ city: 'Zürich', days: [1, 2, 3] });
    for (const { parsed_arguments: _, ...item } of output as (OpenAI.Responses.ResponseInputItem & {
      parsed_arguments?: unknown;
    })[])
      input.push(item);
    input.push({ type: 'function_call_output', call_id: call?.call_id ?? '', output: 'sunny' });
    const { output_text: text } = await openai.responses.create({ model: 'fake-n2', input, tools });
    expect(text).toBe('lorem lorem ');
    expect(fake.requests.at(-1)?.json['input']).toEqual(input);
  });

  test('lists the models it may use, and shows one with a slash in its name', async () => {
    const ids = (await collect(openai.models.list())).map((model) => model.id);
    expect(ids).toContain('local/demo');
    expect((await openai.models.retrieve('local/demo')).id).toBe('local/demo');
    expect(await failureOf(openai.models.retrieve('nothing'))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test('talks to the built-in demonstration model', async () => {
    const chunks = await collect(
      openai.chat.completions.create({ model: 'local/demo', messages, stream: true, max_tokens: 5 }),
    );
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toMatch(/^This is local\/demo/);
  });

  test('is told by it that a prompt is too long, which costs nothing', async () => {
    const asked = { model: 'local/demo', messages: await tooLong(), max_tokens: 5 };
    const error = await failureOf(openai.chat.completions.create(asked));
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    const { headers } = error as { headers?: Headers };
    const requestId = headers?.get('x-openclawmu-request-id') as string;
    const row = await eventually(() =>
      gateway
        .call('GET', `/api/v1/admin/usage/requests/${requestId}`)
        .then(({ status, body }) => status === 200 && body),
    );
    expect(row).toMatchObject({ status: 'actual', cost: '0.00' });
  });

  test('is told by it what it cannot do', async () => {
    const asked = { model: 'local/demo', messages, response_format: { type: 'json_object' as const } };
    const error = await failureOf(openai.chat.completions.create(asked));
    expect(error).toMatchObject({ status: 400, param: 'response_format' });
  });

  test('talks to it through responses, too', async () => {
    const events = openai.responses.stream({ model: 'local/demo', input: 'Hello!', max_output_tokens: 5 });
    const answer = await events.finalResponse();
    expect(answer.output_text).toBe('This is local/demo, the built-in');
    expect(answer.incomplete_details).toEqual({ reason: 'max_output_tokens' });
  });

  test.each([
    [
      'a wrong key',
      () =>
        openaiClient(gateway.url, 'tk_dept1_00000000000000000000000000000000').chat.completions.create({
          model: 'fake',
          messages,
        }),
      OpenAI.AuthenticationError,
    ],
    [
      'a model nobody offers',
      () => openai.chat.completions.create({ model: 'nothing', messages }),
      OpenAI.NotFoundError,
    ],
    [
      'a response that needs what another one left',
      () => openai.responses.create({ model: 'fake', input: 'x', previous_response_id: 'resp_1' }),
      OpenAI.BadRequestError,
    ],
    [
      'a response that breaks off',
      () => collect(openai.responses.create({ model: 'fake-n9-x3', input: 'x', stream: true })),
      Error,
    ],
    [
      'a response that ends with an error',
      () => collect(openai.responses.create({ model: 'fake-n9-y3', input: 'x', stream: true })),
      OpenAI.APIError,
    ],
    [
      'wrong types where money is concerned',
      () => openai.chat.completions.create({ model: 'fake', messages, max_tokens: 1.5 }),
      OpenAI.BadRequestError,
    ],
    [
      'a fault the provider names',
      () => openai.chat.completions.create({ model: 'fake-e400', messages }),
      OpenAI.BadRequestError,
    ],
    [
      'a provider out of order',
      () => openai.chat.completions.create({ model: 'fake-e500', messages }),
      OpenAI.InternalServerError,
    ],
    [
      'a provider that limits the rate',
      () => openai.chat.completions.create({ model: 'fake-e429', messages }),
      OpenAI.RateLimitError,
    ],
  ])('understands %s', async (_, work, type) => {
    expect(await failureOf(work())).toBeInstanceOf(type);
  });
});

describe('the Anthropic SDK', () => {
  const ask = { max_tokens: 100, messages };

  test('gets a whole answer', async () => {
    const answer = await anthropic.messages.create({ model: 'claude/fake-n5', ...ask });
    expect(answer.usage.output_tokens).toBe(5);
  });

  test('streams', async () => {
    const stream = anthropic.messages.stream({ model: 'claude/fake-n5', ...ask });
    const message = await stream.finalMessage();
    expect(message.stop_reason).toBe('end_turn');
    expect(message.usage.output_tokens).toBe(5);
  });

  test('lists models in its own shape', async () => {
    const models = await collect(anthropic.models.list());
    expect(models).toContainEqual(
      expect.objectContaining({ id: 'local/demo', type: 'model', display_name: expect.any(String) }),
    );
    expect((await anthropic.models.retrieve('local/demo')).id).toBe('local/demo');
  });

  test('talks to the built-in demonstration model', async () => {
    const answer = await anthropic.messages.create({ model: 'local/demo', ...ask, max_tokens: 4 });
    expect(answer.content).toEqual([expect.objectContaining({ type: 'text', text: 'This is local/demo, the' })]);
    expect(answer.stop_reason).toBe('max_tokens');
  });

  test('is told by it that a prompt is too long', async () => {
    const asked = { model: 'local/demo', messages: await tooLong(), max_tokens: 5 };
    const error = await failureOf(anthropic.messages.create(asked));
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect((error as Error).message).toContain('prompt is too long');
  });

  test('authenticates with x-api-key as well', async () => {
    const old = new Anthropic({
      baseURL: gateway.url,
      apiKey: null,
      authToken: null,
      maxRetries: 0,
      defaultHeaders: { 'x-api-key': department.token },
    });
    expect((await old.messages.create({ model: 'claude/fake-n1', ...ask })).type).toBe('message');
  });

  test.each([
    [
      'a wrong key',
      () =>
        anthropicClient(gateway.url, 'tk_dept1_00000000000000000000000000000000').messages.create({
          model: 'claude/fake',
          ...ask,
        }),
      Anthropic.AuthenticationError,
    ],
    ['a model nobody offers', () => anthropic.messages.create({ model: 'nothing', ...ask }), Anthropic.NotFoundError],
    [
      'a fault the provider names',
      () => anthropic.messages.create({ model: 'claude/fake-e400', ...ask }),
      Anthropic.BadRequestError,
    ],
    [
      'a provider that limits the rate',
      () => anthropic.messages.create({ model: 'claude/fake-e429', ...ask }),
      Anthropic.RateLimitError,
    ],
  ])('understands %s', async (_, work, type) => {
    expect(await failureOf(work())).toBeInstanceOf(type);
  });

  test('understands an overloaded provider as such', async () => {
    expect(await failureOf(anthropic.messages.create({ model: 'claude/fake-e529', ...ask }))).toMatchObject({
      status: 529,
      error: { error: { type: 'overloaded_error' } },
    });
  });
});
