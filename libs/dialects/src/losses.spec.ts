import { CodedError } from '@app/platform';
import { OPTIONS } from '../fixtures/set-up';
import type { ClientFormat, ProviderFormat } from './format';
import { translateRequest } from './translate-request';

type Json = Record<string, unknown>;

function translate(from: ClientFormat, to: ProviderFormat, body: Json) {
  const told = from === 'messages' ? { max_tokens: 50, ...body } : body;
  const translated = translateRequest(from, to, Buffer.from(JSON.stringify(told)), OPTIONS);
  return { text: translated.body.toString('utf8'), dropped: translated.dropped };
}

const hello = [{ role: 'user', content: 'Hello' }];
const schema = { type: 'object' };

describe('what is lost is named', () => {
  it.each<[ClientFormat, ProviderFormat, string, Json]>([
    ['chat', 'messages', 'messages.name', { messages: [{ role: 'user', name: 'Jane', content: 'Hello' }] }],
    ['chat', 'messages', 'response_format', { messages: hello, response_format: { type: 'grammar' } }],
    ['chat', 'messages', 'reasoning_effort', { messages: hello, reasoning_effort: 'utmost' }],
    ['responses', 'chat', 'reasoning.effort', { input: 'Hello', reasoning: { effort: 'utmost' } }],
    ['responses', 'chat', 'reasoning.context', { input: 'Hello', reasoning: { context: 'all' } }],
    ['responses', 'chat', 'text.format', { input: 'Hello', text: { format: { type: 'grammar' } } }],
    ['responses', 'chat', 'text.verbosity', { input: 'Hello', text: { verbosity: 'low' } }],
    ['messages', 'chat', 'output_config.effort', { messages: hello, output_config: { effort: 'utmost' } }],
    ['messages', 'gemini', 'thinking.depth', { messages: hello, thinking: { type: 'adaptive', depth: 3 } }],
    ['messages', 'chat', 'output_config.task_budget', { messages: hello, output_config: { task_budget: {} } }],
    ['messages', 'chat', 'tools.input_examples', { messages: hello, tools: [{ name: 'f', input_examples: [{}] }] }],
    [
      'chat',
      'messages',
      'tools.new',
      { messages: hello, tools: [{ type: 'function', function: { name: 'f', new: 1 } }] },
    ],
    [
      'responses',
      'chat',
      'tools.defer_loading',
      { input: 'Hello', tools: [{ type: 'function', name: 'f', defer_loading: true }] },
    ],
    ['messages', 'gemini', 'tools.strict', { messages: hello, tools: [{ name: 'f', strict: true }] }],
    [
      'messages',
      'chat',
      'citations',
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'search_result', title: 'T', source: 's', citations: { enabled: true }, content: [] }],
          },
        ],
      },
    ],
    [
      'responses',
      'messages',
      'tool_result.audio',
      {
        input: [
          {
            type: 'function_call_output',
            call_id: 'c',
            output: [{ type: 'input_audio', input_audio: { data: 'a', format: 'wav' } }],
          },
        ],
      },
    ],
  ])('%s to %s: %s', (from, to, name, body) => {
    expect(translate(from, to, body).dropped).toEqual([name]);
  });

  it('by names that fit a header, whatever the client called it', () => {
    const body = { messages: hello, '日\r\nx: 1': 1, ['k'.repeat(500)]: 1 };
    expect(translate('chat', 'messages', body).dropped).toEqual(['???x??1', 'k'.repeat(80)]);
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`key${100 + n}`, n]));
    const { dropped } = translate('chat', 'messages', { messages: hello, ...many });
    expect(dropped).toHaveLength(41);
    expect(dropped.slice(-2)).toEqual(['key139', '60 more']);
  });

  it('and nothing else is', () => {
    const text = { format: { type: 'text' } };
    expect(translate('responses', 'chat', { input: 'Hello', text, reasoning: { summary: 'auto' } }).dropped).toEqual(
      [],
    );
    const format = { type: 'text' };
    expect(translate('chat', 'messages', { messages: hello, response_format: format }).dropped).toEqual([]);
    const tools = [{ type: 'custom', name: 'f', description: 'F', input_schema: schema, strict: true }];
    expect(translate('messages', 'responses', { messages: hello, tools }).dropped).toEqual([]);
  });
});

describe('what others have words for is kept', () => {
  const image = 'data:image/png;base64,aGk=';
  const result = {
    role: 'tool',
    tool_call_id: 'c',
    content: [
      { type: 'text', text: 'A map' },
      { type: 'image_url', image_url: { url: image } },
    ],
  };

  it.each<[ProviderFormat, string]>([
    ['messages', '{"type":"base64","media_type":"image/png","data":"aGk="}'],
    ['responses', `"image_url":"${image}"`],
    ['gemini', '"inlineData":{"mimeType":"image/png","data":"aGk="}'],
  ])('an image that a tool of a chat client gave, by %s', (to, written) => {
    const { text, dropped } = translate('chat', to, { messages: [...hello, result] });
    expect(text).toContain(written);
    expect(dropped).toEqual([]);
  });

  it.each<[ClientFormat, ProviderFormat, string]>([
    ['chat', 'responses', '"name":"forecast","description":"A forecast","schema":{"type":"object"}'],
    ['responses', 'chat', '"name":"forecast","description":"A forecast","schema":{"type":"object"}'],
    ['chat', 'messages', '"schema":{"description":"A forecast","type":"object"}'],
    ['chat', 'gemini', '"responseJsonSchema":{"description":"A forecast","type":"object"}'],
  ])('what the answer is to be, from %s to %s', (from, to, written) => {
    const told = { name: 'forecast', description: 'A forecast', schema };
    const body =
      from === 'chat'
        ? { messages: hello, response_format: { type: 'json_schema', json_schema: told } }
        : { input: 'Hello', text: { format: { type: 'json_schema', ...told } } };
    expect(translate(from, to, body).text).toContain(written);
  });

  it('the title of a text', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'Rain.' };
    const content = [{ type: 'document', title: 'Forecast', source }];
    const { text } = translate('messages', 'chat', { messages: [{ role: 'user', content }] });
    expect(text).toContain('[{"type":"text","text":"Forecast"},{"type":"text","text":"Rain."}]');
  });

  it('a file in bare base64', () => {
    const content = [{ type: 'input_file', filename: 'a.pdf', file_data: 'JVBERi0=' }];
    const { text } = translate('responses', 'messages', { input: [{ role: 'user', content }] });
    expect(text).toContain('{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}');
  });
});

it('a message may have more parts than a call has room for', () => {
  const content = (type: string) => Array.from({ length: 300_000 }, () => ({ type, text: 'a' }));
  const written = (text: string) => text.match(/"text":"a"/g)?.length;
  const messages = [
    { role: 'tool', tool_call_id: 'c', content: 'x' },
    { role: 'user', content: content('text') },
  ];
  expect(written(translate('chat', 'messages', { messages }).text)).toBe(300_000);
  const input = [{ role: 'assistant', content: content('output_text') }];
  expect(written(translate('responses', 'messages', { input }).text)).toBe(300_000);
  const results = [
    { type: 'function_call_output', call_id: 'c', output: 'x' },
    { role: 'user', content: content('input_text') },
  ];
  expect(written(translate('responses', 'messages', { input: results }).text)).toBe(300_000);
});

describe('what would mean something else is refused', () => {
  const searches = [{ type: 'web_search' }];
  it.each<[string, ClientFormat, Json]>([
    ['any of the tools, where none is left', 'responses', { input: 'Hello', tools: searches, tool_choice: 'required' }],
    [
      'a tool that is not there',
      'chat',
      { messages: hello, tool_choice: { type: 'function', function: { name: 'f' } } },
    ],
    ['a choice that is new', 'messages', { messages: hello, tools: [{ name: 'f' }], tool_choice: { type: 'first' } }],
    ['a choice that is new', 'chat', { messages: hello, tool_choice: { type: 'first' } }],
    ['a choice nobody knows', 'chat', { messages: hello, tool_choice: 'any' }],
    ['a choice nobody knows', 'responses', { input: 'Hello', tool_choice: 'any' }],
    ['calls of old', 'chat', { messages: [{ role: 'assistant', content: null, function_call: { name: 'f' } }] }],
  ])('%s (%s)', (_, from, body) => {
    const work = () => translate(from, 'gemini', body);
    expect(work).toThrow(CodedError);
    expect(work).toThrow(expect.objectContaining({ code: 'not_expressible' }) as Error);
  });
});
