import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { ACCOUNT, type Behaviour, FakeProvider, PROVIDER_KEY } from './fake-provider';
import { anthropicClient, collect, failureOf, openaiClient, rootCause } from './fake-provider/sdk-clients';

let provider: FakeProvider;
let openai: OpenAI;
let anthropic: Anthropic;

beforeEach(async () => {
  provider = await FakeProvider.start();
  openai = openaiClient(provider.url, PROVIDER_KEY);
  anthropic = anthropicClient(provider.url, PROVIDER_KEY);
});

afterEach(() => provider.close());

const messages = [{ role: 'user' as const, content: 'Say something in Zürich 🏔' }];
const chat = (model: string) => ({ model, messages });
const chatStream = (model: string, more: object = {}) =>
  collect(openai.chat.completions.create({ ...chat(model), ...more, stream: true }));
const message = (model: string, max_tokens = 1000) => ({ model, max_tokens, messages });
const messageStream = (model: string) => collect(anthropic.messages.create({ ...message(model), stream: true }));

describe('failures of the connection', () => {
  it('cuts a stream after so many pieces', async () => {
    const seen: { choices: unknown[] }[] = [];
    const stream = openai.chat.completions.create({ ...chat('fake-x3'), stream: true });

    await failureOf(collect(stream as Promise<AsyncIterable<{ choices: unknown[] }>>, seen));
    expect(seen).toHaveLength(1 + 3);
    expect(await failureOf(messageStream('fake-x3'))).toMatchObject({ message: 'terminated' });
    expect(provider.tally()).toMatchObject({ broken: 2, tokens: { output: 6 } });
  });

  it('ends a stream early and cleanly, so that only the missing end tells', async () => {
    const chunks = await chatStream('fake-t3', { stream_options: { include_usage: true } });
    const events = await messageStream('fake-t3');

    expect(chunks.some((chunk) => chunk.usage || chunk.choices[0]?.finish_reason)).toBe(false);
    expect(events.at(-1)?.type).toBe('content_block_delta');
    expect(provider.tally()).toMatchObject({ broken: 2, completed: 0, tokens: { output: 6 } });
  });

  it('disconnects before any header, and refuses connections once closed', async () => {
    const call = () => failureOf(openai.chat.completions.create(chat('fake-nohead')));

    expect(await call()).toBeInstanceOf(OpenAI.APIConnectionError);
    await provider.close();
    const refused = await call();
    expect(refused).toBeInstanceOf(OpenAI.APIConnectionError);
    expect(rootCause(refused)).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('comes back on the port where it was closed', async () => {
    const port = Number(new URL(provider.url).port);
    await provider.close();
    provider = await FakeProvider.start({ port });

    expect((await openai.chat.completions.create(chat('fake'))).object).toBe('chat.completion');
  });

  it.each(['fake-html', 'fake-t1'])('answers something that is no JSON (%s)', async (model) => {
    const error = await failureOf(anthropic.messages.create(message(model)));

    if (model === 'fake-html')
      expect(error).toMatchObject({ status: 502, message: expect.stringContaining('<html>') as unknown });
    else expect(error).toMatchObject({ name: 'SyntaxError' });
  });
});

describe('silence', () => {
  it.each<[string, Behaviour['pauseAt'], number]>([
    ['before the headers', 'before-headers', 0],
    ['after the headers', 'after-headers', 0],
    ['midway', 2, 2],
  ])('falls %s, and a test may end it', async (_where, pauseAt, pieces) => {
    provider.script('gated', { pauseAt, chunks: 5 });
    const answer = anthropic.messages.stream(message('gated')).finalMessage();
    const request = await provider.waitForRequest(({ paused }) => paused);
    expect(request).toMatchObject({ outcome: 'open', pieces });

    request.resume();
    expect((await answer).usage.output_tokens).toBe(5);
    expect(request).toMatchObject({ outcome: 'completed', pieces: 5 });
    expect(() => request.resume()).toThrow('completed, not paused');
  });

  it('notes the caller who leaves, and charges what was generated', async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const stream = await openai.chat.completions.create({ ...chat('fake-n10-h4'), stream: true }, options);
    const reading = collect(Promise.resolve(stream));
    const request = await provider.waitForRequest(({ paused }) => paused);

    controller.abort();
    await provider.waitFor(() => request.outcome === 'aborted');
    await reading;
    const input = Math.ceil(request.body.length / 4);
    expect(provider.tally()).toMatchObject({ open: 0, aborted: 1, tokens: { input, output: 4 } });
  });
});

describe('usage blocks', () => {
  it.each([
    ['u', undefined],
    ['liehuge', { completion_tokens: 1e21, completion_tokens_details: { reasoning_tokens: 1e21 } }],
    ['lienegative', { completion_tokens: -3, completion_tokens_details: { reasoning_tokens: -1 } }],
    ['lietext', { completion_tokens: '2', completion_tokens_details: { reasoning_tokens: '0' } }],
  ])('may be missing or lie (%s), while the tally stays true', async (lie, usage) => {
    const model = `fake-n2-${lie}`;
    const whole: unknown = (await openai.chat.completions.create(chat(model))).usage;
    const streamed = await chatStream(model, { stream_options: { include_usage: true } });
    const last: unknown = streamed.at(-1)?.usage ?? undefined;

    for (const block of [whole, last]) {
      if (usage) expect(block).toMatchObject(usage);
      else expect(block).toBeUndefined();
    }
    expect(provider.tally().tokens.output).toBe(4);
  });

  it('may be missing in messages too', async () => {
    const events = await messageStream('fake-u');

    expect(await anthropic.messages.create(message('fake-u'))).not.toHaveProperty('usage');
    expect(JSON.stringify(events)).not.toContain('usage');
  });

  it('may be overlaid field by field', async () => {
    provider.script(/odd/, { usage: { input_tokens: null, surprise: 1 } });
    const answer = await anthropic.messages.create(message('odd-one'));

    expect(answer.usage).toMatchObject({ input_tokens: null, surprise: 1, output_tokens: 20 });
  });
});

describe('what it keeps', () => {
  it('refuses a wrong key and records the headers and fields as sent', async () => {
    const stranger = anthropicClient(provider.url, 'tk_sales_secret');
    const body = { ...message('fake'), brand_new_field: { a: 1 } };
    const headers = { 'anthropic-beta': 'later-2027', 'X-Odd-Case': 'yes' };

    expect(await failureOf(stranger.messages.create(message('fake')))).toBeInstanceOf(Anthropic.AuthenticationError);
    await anthropic.messages.create(body, { headers });
    const [refused, served] = provider.requests;
    expect(refused?.mentions('tk_sales_secret')).toBe(true);
    expect(served?.mentions('tk_sales_secret')).toBe(false);
    expect(served?.json).toEqual(body);
    expect(served?.headers).toMatchObject({ 'anthropic-version': '2026-10-21', 'anthropic-beta': 'later-2027' });
    expect(served?.rawHeaders).toEqual(expect.arrayContaining([['anthropic-beta', 'later-2027']]));
    expect(provider.tally()).toMatchObject({ calls: 2, refused: 1, completed: 1 });
  });

  it('names its account in the headers that a gateway must not pass on', async () => {
    const ofChat = await openai.chat.completions.create(chat('fake')).asResponse();
    const ofMessage = await anthropic.messages.create(message('fake')).asResponse();

    for (const { headers } of [ofChat, ofMessage]) expect(headers.get('set-cookie')).toContain(ACCOUNT);
    expect(ofChat.headers.get('openai-organization')).toBe(ACCOUNT);
    expect(ofChat.headers.get('x-ratelimit-remaining-tokens')).toBe('199000');
    expect(ofMessage.headers.get('anthropic-organization-id')).toBe(ACCOUNT);
    expect(ofMessage.headers.get('anthropic-ratelimit-tokens-remaining')).toBe('399000');
  });

  it('says when to come back, and whose limit it was', async () => {
    for (const call of [
      openai.chat.completions.create(chat('fake-e429')),
      anthropic.messages.create(message('fake-e429')),
    ]) {
      const error = (await failureOf(call)) as { headers: Headers; message: string };
      expect(error.headers.get('retry-after')).toBe('7');
      expect(error.message).toContain(ACCOUNT);
    }
  });

  it('follows scripts in turn, the newest first', async () => {
    provider.script('flaky', { error: 500 });
    provider.script('flaky', { error: { status: 503, message: 'busy' } }, { chunks: 1 });

    expect(await failureOf(openai.chat.completions.create(chat('flaky')))).toMatchObject({
      status: 503,
      message: '503 busy',
    });
    for (let again = 0; again < 2; again++) {
      expect((await openai.chat.completions.create(chat('flaky'))).usage?.completion_tokens).toBe(1);
    }
  });

  it('tallies by model', async () => {
    await Promise.all(['fake-n1', 'fake-n2', 'fake-n2'].map((model) => openai.chat.completions.create(chat(model))));

    expect(provider.tally('fake-n2')).toMatchObject({ calls: 2, completed: 2, tokens: { output: 4 } });
    expect(provider.tally(({ dialect }) => dialect === 'anthropic').calls).toBe(0);
  });

  it.each(['fake-mispelt', 'fake-n2-h9'])(
    'reports a scenario that cannot happen (%s) when it is closed',
    async (model) => {
      await failureOf(chatStream(model));

      await expect(provider.close()).rejects.toThrow(model);
    },
  );
});
