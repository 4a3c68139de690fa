import { CONTEXT_TOKENS, refusalOf, renderRefusal } from './demo-refusal';

const CHAT = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'Hello!' }];

describe('what the demonstration refuses', () => {
  it.each<[string, string, object, string]>([
    ['no messages', CHAT, {}, 'messages'],
    ['an empty list', '/v1/messages', { messages: [] }, 'messages'],
    ['a text in place of messages', CHAT, { messages: 'Hello!' }, 'messages'],
    ['no input', '/v1/responses', { input: '' }, 'input'],
    ['several answers', CHAT, { messages, n: 2 }, 'n'],
    ['a schema, of chat completions', CHAT, { messages, response_format: { type: 'json_schema' } }, 'response_format'],
    ['any JSON', CHAT, { messages, response_format: { type: 'json_object' } }, 'response_format'],
    [
      'a schema, of responses',
      '/v1/responses',
      { input: 'x', text: { format: { type: 'json_schema' } } },
      'text.format',
    ],
    [
      'a schema, of messages',
      '/v1/messages',
      { messages, output_config: { format: { type: 'json_schema' } } },
      'output_config.format',
    ],
    ['some tool', CHAT, { messages, tool_choice: 'required' }, 'tool_choice'],
    ['one tool', CHAT, { messages, tool_choice: { type: 'function', function: { name: 'f' } } }, 'tool_choice'],
    ['one of some tools', CHAT, { messages, tool_choice: { type: 'allowed_tools', mode: 'required' } }, 'tool_choice'],
    ['any tool, of messages', '/v1/messages', { messages, tool_choice: { type: 'any' } }, 'tool_choice'],
  ])('%s', (_, url, asked, param) => {
    expect(refusalOf(url, asked, 1)).toMatchObject({ param, message: expect.stringContaining(`${param}: `) });
  });

  it.each<[string, string, object]>([
    ['messages', CHAT, { messages, n: 1, response_format: { type: 'text' }, tool_choice: 'auto' }],
    ['a text for responses', '/v1/responses', { input: 'Hello!', text: { format: { type: 'text' } } }],
    [
      'tools that it may call',
      '/v1/messages',
      { messages, tool_choice: { type: 'auto' }, output_config: { effort: 'low' } },
    ],
    ['some tools that it may call', CHAT, { messages, tool_choice: { type: 'allowed_tools', mode: 'auto' } }],
    ['texts to embed', '/v1/embeddings', { input: ['Hello!'] }],
    ['nulls', CHAT, { messages, n: null, response_format: null, text: null, output_config: null, tool_choice: null }],
  ])('and not %s', (_, url, asked) => {
    expect(refusalOf(url, asked, CONTEXT_TOKENS)).toBeNull();
  });

  it('what is longer than its context, in the words that clients know', () => {
    const told = (url: string): unknown => {
      const refusal = refusalOf(url, { messages, input: 'x' }, CONTEXT_TOKENS + 1);
      return refusal && renderRefusal(url, refusal);
    };
    for (const url of [CHAT, '/v1/responses', '/v1/embeddings'])
      expect(told(url)).toMatchObject({ error: { code: 'context_length_exceeded', type: 'invalid_request_error' } });
    expect(told('/v1/messages')).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 128001 tokens > 128000 maximum' },
    });
  });
});
