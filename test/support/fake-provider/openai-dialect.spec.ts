import OpenAI from 'openai';
import { FakeProvider, PROVIDER_KEY } from '../fake-provider';
import { collect, failureOf, openaiClient } from './sdk-clients';

let provider: FakeProvider;
let openai: OpenAI;

beforeEach(async () => {
  provider = await FakeProvider.start();
  openai = openaiClient(provider.url, PROVIDER_KEY);
});

afterEach(() => provider.close());

const messages = [{ role: 'user' as const, content: 'Say something in Zürich 🏔' }];
const chat = (model: string) => ({ model, messages });
const chatStream = (model: string, more: object = {}) =>
  collect(openai.chat.completions.create({ ...chat(model), ...more, stream: true }));

describe('the OpenAI dialect', () => {
  it('completes, and counts the tokens it reports', async () => {
    const answer = await openai.chat.completions.create(chat('fake-n3-c40-w7-r5'));
    const [request] = provider.requests;
    const input = Math.ceil((request?.body.length ?? 0) / 4);

    expect(answer.choices[0]).toMatchObject({ message: { content: 'lorem lorem lorem ' }, finish_reason: 'stop' });
    expect(answer.usage).toEqual({
      prompt_tokens: input + 47,
      completion_tokens: 8,
      total_tokens: input + 55,
      prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 7, audio_tokens: 0 },
      completion_tokens_details: expect.objectContaining({ reasoning_tokens: 5 }) as unknown,
    });
    expect(answer._request_id).toBe(request?.requestId);
    expect(provider.tally()).toMatchObject({
      calls: 1,
      completed: 1,
      tokens: { input, output: 8, cacheRead: 40, cacheWrite5m: 7, cacheWrite1h: 0, reasoning: 5 },
    });
  });

  it('streams the usage only to those who ask for it', async () => {
    const asked = await chatStream('fake-n4', { stream_options: { include_usage: true } });
    const unasked = await chatStream('fake-n4');

    expect(asked.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('lorem '.repeat(4));
    expect(asked.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 4 } });
    expect(asked.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    expect(unasked.at(-1)?.choices[0]?.finish_reason).toBe('stop');
    expect(unasked.some((chunk) => 'usage' in chunk)).toBe(false);
  });

  it('streams a tool call that the SDK puts together', async () => {
    const answer = await openai.chat.completions.stream(chat('fake-tools')).finalChatCompletion();
    const [call] = answer.choices[0]?.message.tool_calls ?? [];

    expect(answer.choices[0]?.finish_reason).toBe('tool_calls');
    expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });
    expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual({
      city: 'Zürich',
      days: [1, 2, 3],
    });
  });

  it('keeps to the output limit and writes every alternative asked for', async () => {
    const answer = await openai.chat.completions.create({ ...chat('fake-n50'), n: 3, max_completion_tokens: 4 });

    expect(answer.choices.map((choice) => choice.finish_reason)).toEqual(['length', 'length', 'length']);
    expect(answer.usage?.completion_tokens).toBe(12);
    expect(provider.tally().tokens.output).toBe(12);
  });

  it.each([
    [400, OpenAI.BadRequestError, 'context_length_exceeded'],
    [401, OpenAI.AuthenticationError, 'invalid_api_key'],
    [403, OpenAI.PermissionDeniedError, 'model_not_found'],
    [404, OpenAI.NotFoundError, 'model_not_found'],
    [429, OpenAI.RateLimitError, 'rate_limit_exceeded'],
    [500, OpenAI.InternalServerError, null],
    [529, OpenAI.InternalServerError, null],
  ])('answers %i as the SDK knows it', async (status, kind, code) => {
    const error = await failureOf(openai.chat.completions.create(chat(`fake-e${status}`)));

    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status, code, requestID: provider.requests[0]?.requestId });
    expect(provider.tally()).toMatchObject({ refused: 1, tokens: { input: 0, output: 0 } });
  });

  it('refuses what the real one refuses', async () => {
    const optionsWithoutStream = { ...chat('fake'), stream_options: { include_usage: true } };
    const withoutMessages = { model: 'fake' } as OpenAI.ChatCompletionCreateParamsNonStreaming;

    expect(await failureOf(openai.chat.completions.create(optionsWithoutStream))).toMatchObject({ status: 400 });
    expect(await failureOf(openai.chat.completions.create(withoutMessages))).toMatchObject({
      code: 'missing_required_parameter',
    });
    expect(await failureOf(openai.post('/nowhere', { body: {} }))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('lists models', async () => {
    expect((await collect(Promise.resolve(openai.models.list()))).map(({ id }) => id)).toEqual(['fake', 'fake-emoji']);
  });

  it('gives up midway with an error event', async () => {
    expect(await failureOf(chatStream('fake-y2'))).toMatchObject({ type: 'server_error' });
    expect(provider.tally()).toMatchObject({ broken: 1, tokens: { output: 2 } });
  });
});
