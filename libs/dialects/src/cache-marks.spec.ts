import { OPTIONS } from '../fixtures/set-up';
import type { ClientFormat, ProviderFormat } from './format';
import { translateRequest } from './translate-request';

type Json = Record<string, unknown>;

function translate(from: ClientFormat, to: ProviderFormat, body: Json) {
  const translated = translateRequest(from, to, Buffer.from(JSON.stringify(body)), OPTIONS);
  return { body: JSON.parse(translated.body.toString()) as Json, dropped: translated.dropped };
}

const cache_control = { type: 'ephemeral', ttl: '1h' };
const usual = { type: 'ephemeral' };
const image_url = { url: 'https://example.com/a.png' };

/** As clients of several vendors mark chat completions: parts, messages, tools, and the request. */
const chat = {
  cache_control: usual,
  tools: [
    { type: 'function', function: { name: 'f', parameters: {} }, cache_control },
    { type: 'function', function: { name: 'g', parameters: {}, cache_control: { type: 'ephemeral', ttl: '1d' } } },
  ],
  messages: [
    { role: 'system', content: [{ type: 'text', text: 'Be kind.', cache_control }] },
    { role: 'user', content: 'Hello', cache_control: usual },
    { role: 'assistant', content: null, tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'c', content: 'sun', cache_control: usual },
    { role: 'user', content: [{ type: 'image_url', image_url, cache_control: usual }] },
  ],
};

/** As OpenAI's own clients do. */
const breakpoint = { mode: 'explicit' };
const responses = {
  input: [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'Hello', prompt_cache_breakpoint: breakpoint },
        { type: 'input_file', file_data: 'JVBERi0=', prompt_cache_breakpoint: breakpoint },
      ],
    },
  ],
};

describe('a mark for a cache of prompts', () => {
  it('reaches Anthropic, which keeps nothing without one', () => {
    const { body, dropped } = translate('chat', 'messages', chat);
    expect(dropped).toEqual([]);
    expect(body).toMatchObject({
      cache_control: usual,
      system: [{ type: 'text', text: 'Be kind.', cache_control }],
      tools: [
        { name: 'f', cache_control },
        { name: 'g', cache_control: usual },
      ],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hello', cache_control: usual }] },
        { role: 'assistant' },
        {
          role: 'user',
          content: [
            { type: 'tool_result', content: 'sun', cache_control: usual },
            { type: 'image', cache_control: usual },
          ],
        },
      ],
    });
  });

  it('of OpenAI reaches it too', () => {
    const { body, dropped } = translate('responses', 'messages', responses);
    expect(dropped).toEqual([]);
    expect(body['messages']).toMatchObject([
      {
        content: [
          { type: 'text', text: 'Hello', cache_control: usual },
          { type: 'document', cache_control: usual },
        ],
      },
    ]);
    const part = { type: 'text', text: 'Hello', prompt_cache_breakpoint: breakpoint };
    const told = translate('chat', 'messages', { messages: [{ role: 'user', content: [part] }] }).body;
    expect(told['messages']).toMatchObject([{ content: [{ cache_control: usual }] }]);
  });

  it('is none where nobody made one', () => {
    const { body } = translate('chat', 'messages', { messages: [{ role: 'user', content: 'Hello' }] });
    expect(JSON.stringify(body)).not.toContain('cache_control');
  });

  it.each<[ClientFormat, ProviderFormat, Json, string]>([
    ['chat', 'gemini', chat, 'cache_control'],
    ['chat', 'responses', chat, 'cache_control'],
    ['responses', 'chat', responses, 'prompt_cache_breakpoint'],
    ['messages', 'chat', { ...chat, tools: [], messages: [{ role: 'user', content: 'Hello' }] }, 'cache_control'],
  ])('is named as lost from %s to %s', (from, to, body, name) => {
    expect(translate(from, to, body).dropped).toEqual([name]);
  });

  it.each<[string, Json]>([
    ['a tool', { tools: [chat.tools[0]] }],
    ['a tool’s result', { messages: [chat.messages[3]] }],
    ['the request', { cache_control: usual }],
    ['a part', { messages: [chat.messages[0]] }],
  ])('on %s alone is named as lost', (_, body) => {
    expect(translate('chat', 'gemini', { messages: [{ role: 'user', content: 'Hello' }], ...body }).dropped).toEqual([
      'cache_control',
    ]);
  });
});
