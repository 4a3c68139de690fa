import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { RECALL } from '../fixtures/set-up';
import type { ClientFormat, ProviderFormat } from './format';
import { StreamTranslator } from './stream-translator';
import { translateAnswer } from './translate-answer';

/** What the official SDKs make of a translated answer: helpers of theirs throw where a reason to stop is not the right one. */

/** A server that answers everything with this, as a provider of `from` said it. */
function served(from: ProviderFormat, to: ClientFormat, said: object | readonly object[]) {
  const isStream = Array.isArray(said);
  let body: Buffer;
  if (isStream) {
    const events = said.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
    const translator = new StreamTranslator(from, to, { ...RECALL, usageAsked: true });
    body = Buffer.concat([
      translator.push(Buffer.from(events + (from === 'chat' ? 'data: [DONE]\n\n' : ''))),
      translator.flush(),
    ]);
  } else body = translateAnswer(from, to, Buffer.from(JSON.stringify(said)), RECALL);
  const headers = { 'content-type': isStream ? 'text/event-stream' : 'application/json' };
  const fetch = () => Promise.resolve(new Response(body, { headers }));
  const options = { apiKey: 'k', baseURL: 'http://127.0.0.1/v1', maxRetries: 0, fetch };
  return { openai: new OpenAI(options), anthropic: new Anthropic(options) };
}

const asked = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello' }] };
const refusing = {
  id: 'resp_1',
  status: 'completed',
  output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }],
};
const chatRefusing = { id: 'c', choices: [{ finish_reason: 'stop', message: { content: null, refusal: 'No.' } }] };

describe('a filter of Anthropic', () => {
  const stopped = {
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: 'bio', explanation: 'Not that.' },
  };
  const answer = { id: 'msg_1', content: [{ type: 'text', text: 'Take' }], ...stopped };
  const events = [
    { type: 'message_start', message: { id: 'msg_1', content: [] } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Take' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: stopped, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ];
  const choice = { finish_reason: 'content_filter', message: { content: 'Take', refusal: 'Not that.' } };
  const told = {
    status: 'incomplete',
    incomplete_details: { reason: 'content_filter' },
    output: [{ content: [{ text: 'Take' }] }, { content: [{ type: 'refusal', refusal: 'Not that.' }] }],
  };

  it('tells why it stepped in', async () => {
    const create = { model: 'm', input: 'Hello' };
    const whole = (to: ClientFormat) => served('messages', to, answer).openai;
    expect((await whole('chat').chat.completions.create(asked)).choices[0]).toMatchObject(choice);
    expect(await whole('responses').responses.create(create)).toMatchObject(told);
    const streamed = (to: ClientFormat) => served('messages', to, events).openai;
    const chunks = streamed('chat').chat.completions.stream(asked);
    expect((await chunks.finalChatCompletion()).choices[0]).toMatchObject(choice);
    expect(await streamed('responses').responses.stream(create).finalResponse()).toMatchObject(told);
  });
});

describe('a model that says that it will not', () => {
  const events = [
    { type: 'response.created', response: { id: 'resp_1' } },
    { type: 'response.refusal.delta', item_id: 'i', delta: 'No.' },
    { type: 'response.completed', response: refusing },
  ];
  const chunks = [
    { id: 'c', choices: [{ delta: { refusal: 'No.' } }] },
    { id: 'c', choices: [{ delta: {}, finish_reason: 'stop' }] },
  ];

  it('is no filter that broke the answer off, which makes parse() of chat completions throw', async () => {
    const { openai } = served('responses', 'chat', refusing);
    const { choices } = await openai.chat.completions.parse(asked);
    expect(choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: null, refusal: 'No.', parsed: null },
    });
    const streamed = served('responses', 'chat', events).openai.chat.completions.stream(asked);
    expect((await streamed.finalChatCompletion()).choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { refusal: 'No.' },
    });
  });

  it('completes its response', async () => {
    const told = { status: 'completed', output: [{ content: [{ type: 'refusal', refusal: 'No.' }] }] };
    const request = { model: 'm', input: 'Hello' };
    expect(await served('chat', 'responses', chatRefusing).openai.responses.parse(request)).toMatchObject(told);
    const streamed = served('chat', 'responses', chunks).openai.responses.stream(request);
    expect(await streamed.finalResponse()).toMatchObject(told);
  });

  it('has stopped for that, as Anthropic tells it', async () => {
    const told = { stop_reason: 'refusal', content: [{ type: 'text', text: 'No.' }] };
    const request = { ...asked, max_tokens: 5 };
    expect(await served('chat', 'messages', chatRefusing).anthropic.messages.create(request)).toMatchObject(told);
    const streamed = served('responses', 'messages', events).anthropic.messages.stream(request);
    expect(await streamed.finalMessage()).toMatchObject(told);
  });
});

describe('a thought of Claude behind a call', () => {
  const thought = (thinking: string, signature: string) => ({ type: 'thinking', thinking, signature });
  const use = (id: string) => ({ type: 'tool_use', id, name: 'f', input: {} });
  const content = [{ type: 'text', text: '' }, thought('First.', 's1'), use('a'), thought('Then.', 's2'), use('b')];
  const events = [
    { type: 'message_start', message: { id: 'msg_1', content: [] } },
    ...content.flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: { ...block, thinking: '', signature: '' } },
      ...('signature' in block
        ? [
            { type: 'content_block_delta', index, delta: { type: 'thinking_delta', thinking: block.thinking } },
            { type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: block.signature } },
          ]
        : []),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ];

  it('has no signature in chat completions, where it would come back in another place', async () => {
    const kept = [{ type: 'thinking', thinking: 'First.', signature: 'openclawmu:messages:s1' }];
    const whole = await served('messages', 'chat', { content, stop_reason: 'tool_use' }).openai.chat.completions.create(
      asked,
    );
    expect(whole.choices[0]?.message).toMatchObject({ reasoning_content: 'First.Then.', thinking_blocks: kept });
    const chunks = await served('messages', 'chat', events).openai.chat.completions.create({ ...asked, stream: true });
    const blocks: unknown[] = [];
    for await (const { choices } of chunks)
      blocks.push((choices[0]?.delta as { thinking_blocks?: unknown } | undefined)?.thinking_blocks);
    expect(blocks.filter((told) => told !== undefined)).toEqual([kept]);
  });

  it('keeps its place in responses', async () => {
    const whole = await served('messages', 'responses', { content, stop_reason: 'tool_use' }).openai.responses.create({
      model: 'm',
      input: 'Hello',
    });
    expect(whole.output.map(({ type }) => type)).toEqual([
      'message',
      'reasoning',
      'function_call',
      'reasoning',
      'function_call',
    ]);
    expect(whole.output[3]).toMatchObject({ encrypted_content: 'openclawmu:messages:s2' });
  });
});
