import Anthropic from '@anthropic-ai/sdk';
import { FakeProvider, PROVIDER_KEY } from '../fake-provider';
import { anthropicClient, collect, failureOf } from './sdk-clients';

let provider: FakeProvider;
let anthropic: Anthropic;

beforeEach(async () => {
  provider = await FakeProvider.start();
  anthropic = anthropicClient(provider.url, PROVIDER_KEY);
});

afterEach(() => provider.close());

const messages = [{ role: 'user' as const, content: 'Say something in Zürich 🏔' }];
const message = (model: string, max_tokens = 1000) => ({ model, max_tokens, messages });
const messageStream = (model: string) => collect(anthropic.messages.create({ ...message(model), stream: true }));

describe('the Anthropic dialect', () => {
  it('completes, and counts the tokens it reports', async () => {
    const answer = await anthropic.messages.create(message('fake-n3-c40-w7-v9-r5'));
    const [request] = provider.requests;
    const input = Math.ceil((request?.body.length ?? 0) / 4);

    expect(answer.content).toMatchObject([{ type: 'thinking' }, { type: 'text', text: 'lorem lorem lorem ' }]);
    expect(answer.stop_reason).toBe('end_turn');
    expect(answer.usage).toMatchObject({
      input_tokens: input,
      output_tokens: 8,
      cache_read_input_tokens: 40,
      cache_creation_input_tokens: 16,
      cache_creation: { ephemeral_5m_input_tokens: 7, ephemeral_1h_input_tokens: 9 },
      output_tokens_details: { thinking_tokens: 5 },
    });
    expect(answer._request_id).toBe(request?.requestId);
    expect(provider.tally()).toMatchObject({
      calls: 1,
      completed: 1,
      tokens: { input, output: 8, cacheRead: 40, cacheWrite5m: 7, cacheWrite1h: 9, reasoning: 5 },
    });
  });

  it('streams events that the SDK puts together', async () => {
    const answer = await anthropic.messages.stream(message('fake-n4-r5-c3')).finalMessage();

    expect(answer.content).toMatchObject([
      { type: 'thinking', thinking: 'Let me think. ', signature: 'RmFrZVNpZ25hdHVyZQ==' },
      { type: 'text', text: 'lorem '.repeat(4) },
    ]);
    expect(answer.usage).toMatchObject({ output_tokens: 9, cache_read_input_tokens: 3 });
    expect(provider.tally().tokens).toMatchObject({ output: 9, reasoning: 5 });
  });

  it('streams a tool call that the SDK puts together', async () => {
    const answer = await anthropic.messages.stream(message('fake-tools')).finalMessage();

    expect(answer.stop_reason).toBe('tool_use');
    expect(answer.content).toMatchObject([
      { type: 'tool_use', name: 'get_weather', input: { city: 'Zürich', days: [1, 2, 3] } },
    ]);
  });

  it('keeps to the output limit', async () => {
    const answer = await anthropic.messages.create(message('fake-n50', 4));

    expect(answer).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 4 } });
  });

  it.each([
    [400, Anthropic.BadRequestError, 'invalid_request_error'],
    [401, Anthropic.AuthenticationError, 'authentication_error'],
    [403, Anthropic.PermissionDeniedError, 'permission_error'],
    [404, Anthropic.NotFoundError, 'not_found_error'],
    [429, Anthropic.RateLimitError, 'rate_limit_error'],
    [500, Anthropic.InternalServerError, 'api_error'],
    [529, Anthropic.OverloadedError, 'overloaded_error'],
  ])('answers %i as the SDK knows it', async (status, kind, type) => {
    const error = await failureOf(anthropic.messages.create(message(`fake-e${status}`)));

    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status, type, requestID: provider.requests[0]?.requestId });
    expect(provider.tally()).toMatchObject({ refused: 1, tokens: { input: 0, output: 0 } });
  });

  it('refuses what the real one refuses', async () => {
    const withoutLimit = { model: 'fake', messages } as unknown as Anthropic.MessageCreateParamsNonStreaming;
    const withoutVersion = { headers: { 'anthropic-version': null } };

    expect(await failureOf(anthropic.messages.create(withoutLimit))).toMatchObject({
      apiMessage: 'max_tokens: Field required',
    });
    expect(await failureOf(anthropic.messages.create(message('fake'), withoutVersion))).toMatchObject({
      apiMessage: 'anthropic-version: header is required',
    });
  });

  it('lists models', async () => {
    expect((await collect(Promise.resolve(anthropic.models.list()))).map(({ id }) => id)).toEqual([
      'fake',
      'fake-emoji',
    ]);
  });

  it('gives up midway with an error event', async () => {
    expect(await failureOf(messageStream('fake-y2'))).toMatchObject({ type: 'overloaded_error' });
    expect(provider.tally()).toMatchObject({ broken: 1, tokens: { output: 2 } });
  });
});
