import { CodedError } from '@app/platform';
import { OPTIONS } from '../fixtures/set-up';
import type { ClientFormat, ProviderFormat } from './format';
import { translateRequest, type TranslationOptions } from './translate-request';

type Json = Record<string, unknown>;

function translate(from: ClientFormat, to: ProviderFormat, body: Json, options: Partial<TranslationOptions> = {}) {
  const translated = translateRequest(from, to, Buffer.from(JSON.stringify(body)), { ...OPTIONS, ...options });
  return { ...translated, body: JSON.parse(translated.body.toString('utf8')) as Json };
}

const hello = [{ role: 'user', content: 'Hello' }];
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof CodedError ? error.code : String(error);
  }
  return 'nothing';
}

describe('what is refused', () => {
  it.each<[string, ClientFormat, ProviderFormat, Json]>([
    ['several answers', 'chat', 'messages', { messages: hello, n: 2 }],
    ['a spoken answer', 'chat', 'gemini', { messages: hello, modalities: ['text', 'audio'] }],
    ['functions of old', 'chat', 'messages', { messages: hello, functions: [{ name: 'f' }] }],
    ['a stored response', 'responses', 'chat', { input: 'Hello', previous_response_id: 'resp_1' }],
    ['an answer in the background', 'responses', 'messages', { input: 'Hello', background: true }],
    ['an item kept elsewhere', 'responses', 'chat', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    [
      'a file kept elsewhere',
      'responses',
      'chat',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] },
    ],
    [
      'a hosted tool that must be called',
      'responses',
      'chat',
      { input: 'Hello', tools: [{ type: 'web_search' }], tool_choice: { type: 'web_search' } },
    ],
    [
      'a tool that got lost',
      'messages',
      'chat',
      {
        messages: hello,
        max_tokens: 5,
        tools: [{ type: 'web_search_20250305', name: 'web_search' }],
        tool_choice: { type: 'tool', name: 'web_search' },
      },
    ],
    [
      'sound for Anthropic',
      'chat',
      'messages',
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'a', format: 'wav' } }] }] },
    ],
    [
      'a document by its address for chat',
      'messages',
      'chat',
      {
        max_tokens: 5,
        messages: [
          { role: 'user', content: [{ type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } }] },
        ],
      },
    ],
  ])('%s', (_, from, to, body) => {
    expect(codeOf(() => translate(from, to, body))).toBe('not_expressible');
  });

  it.each<[string, ClientFormat, Json]>([
    ['messages that are no list', 'chat', { messages: 'Hello' }],
    ['messages that are no list', 'messages', { messages: {} }],
    ['input that is nothing', 'responses', {}],
    ['a role nobody has', 'chat', { messages: [{ role: 'robot', content: 'Hello' }] }],
    ['a tool without a name', 'messages', { messages: hello, tools: [{}] }],
  ])('%s', (_, from, body) => {
    expect(codeOf(() => translate(from, from === 'chat' ? 'messages' : 'chat', body))).toBe('validation_failed');
  });

  it('a body that is no JSON', () => {
    expect(codeOf(() => translateRequest('chat', 'messages', Buffer.from('{'), OPTIONS))).toBe('body_malformed');
  });
});

it.each<[string | undefined, object, object]>([
  ['omitted', { effort: 'medium' }, { includeThoughts: false }],
  ['summarized', { effort: 'medium', summary: 'auto' }, { includeThoughts: true }],
  [undefined, { effort: 'medium', summary: 'auto' }, { includeThoughts: true }],
])('thoughts that are to be %s', (display, reasoning, thinkingConfig) => {
  const thinking = { type: 'adaptive', ...(display && { display }) };
  const asked = { max_tokens: 50, messages: hello, thinking };
  expect(translate('messages', 'responses', asked, { model: 'gpt-5.5' }).body['reasoning']).toEqual(reasoning);
  const { body, dropped } = translate('messages', 'gemini', asked, { model: 'gemini-3-pro' });
  expect(body['generationConfig']).toMatchObject({ thinkingConfig });
  expect(dropped).toEqual([]);
});

describe('output limits', () => {
  it('are lowered to what was agreed', () => {
    const asked = { messages: hello, max_tokens: 90_000 };
    expect(translate('chat', 'messages', asked).body['max_tokens']).toBe(20_000);
    expect(translate('messages', 'chat', asked, { outputLimit: 100 }).body['max_tokens']).toBe(100);
    expect(translate('messages', 'chat', { ...asked, max_tokens: 0 }).body['max_tokens']).toBeUndefined();
    const always = { limitAlways: true, outputLimit: 7 };
    expect(translate('responses', 'chat', { input: 'Hello' }, always).body['max_tokens']).toBe(7);
  });

  it('are sent as agreed to a provider that wants one, and to no other', () => {
    expect(translate('chat', 'messages', { messages: hello }).body['max_tokens']).toBe(20_000);
    expect(translate('chat', 'gemini', { messages: hello }).body['generationConfig']).toEqual({
      maxOutputTokens: 20_000,
    });
    expect(translate('responses', 'chat', { input: 'Hello' }).body['max_tokens']).toBeUndefined();
  });

  it('have the name the server takes', () => {
    const body = { input: 'Hello', max_output_tokens: 50 };
    expect(translate('responses', 'chat', body).body['max_tokens']).toBe(50);
    expect(translate('responses', 'chat', body, { chatLimit: 'max_completion_tokens' }).body).toMatchObject({
      max_completion_tokens: 50,
    });
    expect(translate('chat', 'gemini', { messages: hello, max_tokens: 50 }).body['generationConfig']).toEqual({
      maxOutputTokens: 50,
    });
  });
});

describe('thinking', () => {
  const effort = (reasoning_effort: string) => ({ messages: hello, reasoning_effort, max_tokens: 10_000 });
  const budget = (budget_tokens: number) => ({
    messages: hello,
    max_tokens: 10_000,
    thinking: { type: 'enabled', budget_tokens },
  });

  it.each([
    ['claude-sonnet-4-5', { thinking: { type: 'enabled', budget_tokens: 8_000 } }],
    ['claude-opus-4-1-20250805', { thinking: { type: 'enabled', budget_tokens: 8_000 } }],
    ['claude-opus-4-6', { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }],
    ['claude-fable-5-1', { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }],
  ])('an effort for %s', (model, expected) => {
    expect(translate('chat', 'messages', effort('high'), { model }).body).toMatchObject(expected);
  });

  it.each([
    ['gemini-2.5-flash', 'high', { includeThoughts: true, thinkingBudget: 8_000 }],
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0 }],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128 }],
    ['gemini-3-pro', 'max', { includeThoughts: true, thinkingLevel: 'high' }],
    ['gemini-3.8-flash', 'none', { thinkingLevel: 'minimal' }],
  ])('an effort for %s: %s', (model, asked, expected) => {
    const { generationConfig } = translate('chat', 'gemini', effort(asked), { model }).body as {
      generationConfig: Json;
    };
    expect(generationConfig['thinkingConfig']).toEqual(expected);
  });

  it.each([
    ['gpt-5.5', 'chat', 900, { reasoning_effort: 'low' }],
    ['gpt-5.5', 'responses', 9_000, { reasoning: { effort: 'high', summary: 'auto' } }],
  ] as const)('tokens for %s by %s', (model, to, tokens, expected) => {
    expect(translate('messages', to, budget(tokens), { model }).body).toMatchObject(expected);
  });

  it.each<[string, string, string | undefined, boolean]>([
    ['gpt-5-mini', 'none', 'minimal', true],
    ['gpt-5-mini', 'xhigh', 'high', false],
    ['gpt-5.1', 'none', 'none', false],
    ['gpt-5.1', 'minimal', 'low', false],
    ['azure/gpt-5.5-2026-04-23', 'max', 'xhigh', false],
    ['gpt-5.6-sol', 'max', 'max', false],
    ['gpt-6-astra', 'none', 'low', true],
    ['gpt-6-sol', 'minimal', 'low', false],
    ['o3', 'none', 'low', true],
    ['gpt-oss-120b', 'none', 'low', true],
    ['gpt-5.2-pro', 'xhigh', 'xhigh', false],
    ['gpt-4.1', 'none', undefined, false],
  ])('an effort for %s: %s', (model, asked, expected, isNamed) => {
    const { body, dropped } = translate(
      'responses',
      'chat',
      { input: 'Hello', reasoning: { effort: asked } },
      { model },
    );
    expect(body['reasoning_effort']).toBe(expected);
    expect(dropped).toEqual(isNamed ? ['reasoning_effort'] : []);
    const other = translate('chat', 'responses', { messages: hello, reasoning_effort: asked }, { model });
    expect((other.body['reasoning'] as Json | undefined)?.['effort']).toBe(expected);
  });

  it('is not asked of a model that would refuse the request for it', () => {
    const { body, dropped } = translate('messages', 'chat', budget(2_000), { model: 'llama-4' });
    expect(body['reasoning_effort']).toBeUndefined();
    expect(dropped).toEqual(['thinking']);
  });

  it('gives way to a tool that must be called, which Anthropic cannot have both', () => {
    const { body, dropped } = translate('chat', 'messages', {
      ...effort('low'),
      tools: [tool],
      tool_choice: 'required',
    });
    expect(body['thinking']).toBeUndefined();
    expect(dropped).toContain('reasoning_effort');
  });
});

describe('tools', () => {
  it('are only those that are allowed', () => {
    const tools = ['a', 'b'].map((name) => ({ type: 'function', name, parameters: {} }));
    const tool_choice = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'b' }] };
    const { body } = translate('responses', 'messages', { input: 'Hello', tools, tool_choice });
    expect(body).toMatchObject({ tools: [{ name: 'b' }], tool_choice: { type: 'any' } });
    expect(body['tools']).toHaveLength(1);
  });

  it('have ids that Anthropic takes, the same in call and result', () => {
    const call = { id: 'a.b:1', type: 'function', function: { name: 'f', arguments: '' } };
    const { body } = translate('chat', 'messages', {
      messages: [
        ...hello,
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'a.b:1', content: 'x' },
      ],
    });
    expect(body['messages']).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'a_b_1', name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a_b_1', content: 'x' }] },
    ]);
  });

  it('keep arguments that are no JSON', () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":' } };
    const { body } = translate('chat', 'gemini', { messages: [...hello, { role: 'assistant', tool_calls: [call] }] });
    expect(JSON.stringify(body)).toContain('"args":{"arguments":"{\\"a\\":"}');
  });
});

describe('what the system says', () => {
  const messages = [...hello, { role: 'system', content: 'Hurry.' }];

  it('stays where it was, or is said by the user where a template would refuse it', () => {
    const body = { max_tokens: 5, system: 'Be kind.', messages };
    expect(translate('messages', 'chat', body).body['messages']).toEqual([
      { role: 'system', content: 'Be kind.' },
      ...hello,
      { role: 'system', content: 'Hurry.' },
    ]);
    expect(translate('messages', 'chat', body, { systemFirst: true }).body['messages']).toEqual([
      { role: 'system', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hello' },
          { type: 'text', text: 'Hurry.' },
        ],
      },
    ]);
  });
});

it.each([
  ['Be kind.', [{ type: 'text', text: 'Be kind.' }]],
  ['Be kind.', '\nBe kind.'],
  [undefined, []],
])('the line of Claude Code for the books of Anthropic goes no further: %s', (said, rest) => {
  const line = 'x-anthropic-billing-header: cc_version=2.1.330.1; cc_entrypoint=cli; cch=4f3a1;';
  const whole = typeof rest === 'string' ? line + rest : [{ type: 'text', text: line }, ...rest];
  const { body, dropped } = translate('messages', 'responses', { messages: hello, max_tokens: 5, system: whole });
  expect(body['instructions']).toBe(said);
  expect(dropped).toEqual(['system.x-anthropic-billing-header']);
  const quoted = { max_tokens: 5, messages: [{ role: 'user', content: line }] };
  expect(JSON.stringify(translate('messages', 'responses', quoted).body)).toContain(line);
});

describe('whom the caller acts for', () => {
  const device = JSON.stringify({ device_id: 'd'.repeat(64), account_uuid: '', session_id: 's'.repeat(36) });
  const digest = /^[0-9a-f]{64}$/;

  it.each(['chat', 'responses'] as const)('has a name no longer than %s takes', (to) => {
    const user = (user_id: string) =>
      translate('messages', to, { messages: hello, max_tokens: 5, metadata: { user_id } }).body['user'];
    expect(user('u-1')).toBe('u-1');
    expect(user(device)).toMatch(digest);
    expect(user(device)).toBe(user(device));
    expect(user(device)).not.toBe(user(`${device} `));
  });

  it('is nobody whom Anthropic takes for a person', () => {
    const user = (name: string) => translate('chat', 'messages', { messages: hello, user: name }).body['metadata'];
    const uuid = '6f1c2a52-8c1b-4f0e-9a43-0d5f3a1b2c3d';
    expect(user(uuid)).toEqual({ user_id: uuid });
    for (const name of ['jane@example.com', '+41 44 555 01 02', '0445550102', 'x'.repeat(257), 'Zoë'])
      expect(user(name)).toEqual({ user_id: expect.stringMatching(digest) as string });
  });
});

it('names each thing it had to drop', () => {
  const body = {
    messages: hello,
    max_tokens: 5,
    top_k: 4,
    new_field: 1,
    thinking: null,
    cache_control: { type: 'ephemeral' },
  };
  expect(translate('messages', 'responses', body).dropped).toEqual(['cache_control', 'new_field', 'top_k']);
});

it('keeps to the range of temperatures', () => {
  const { body, dropped } = translate('chat', 'messages', { messages: hello, temperature: 1.5 });
  expect(body['temperature']).toBe(1);
  expect(dropped).toEqual(['temperature']);
});
