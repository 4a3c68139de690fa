import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { createDepartment, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { anthropicClient, collect, failureOf, openaiClient } from '../support/fake-provider/sdk-clients';
import { Gateway } from '../support/gateway';

/** A department's unmodified SDKs, with nothing changed but the base URL and the key. */
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake) });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '100.00' });
  openai = openaiClient(gateway.url, department.token);
  anthropic = anthropicClient(gateway.url, department.token);
});
afterAll(async () => {
  await gateway.remove();
  await fake.close();
});

const messages = [{ role: 'user' as const, content: 'Hello!' }];

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
      'a model of the other dialect',
      () => openai.chat.completions.create({ model: 'claude/fake', messages }),
      OpenAI.BadRequestError,
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
