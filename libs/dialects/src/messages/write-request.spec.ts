import { OPTIONS } from '../../fixtures/set-up';
import type { ClientFormat } from '../format';
import { translateRequest } from '../translate-request';

type Json = Record<string, unknown>;

function toClaude(from: ClientFormat, body: Json, model = 'claude-sonnet-4-5') {
  const told = { max_tokens: 10_000, ...body };
  const translated = translateRequest(from, 'messages', Buffer.from(JSON.stringify(told)), {
    ...OPTIONS,
    model,
    publicModel: model,
  });
  return { body: JSON.parse(translated.body.toString('utf8')) as Json, dropped: translated.dropped };
}

const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });
const system = (content: unknown) => ({ role: 'system', content });
const hello = [user('Hello')];
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };

describe('sampling', () => {
  const sampled = { messages: hello, temperature: 0.2, top_p: 0.9, top_k: 4 };

  it.each(['claude-3-5-sonnet-20241022', 'claude-opus-4-20250514', 'claude-mythos-preview'])(
    'is set for %s',
    (model) => {
      const { body, dropped } = toClaude('chat', sampled, model);
      expect(body).toMatchObject({ temperature: 0.2, top_p: 0.9, top_k: 4 });
      expect(dropped).toEqual([]);
    },
  );

  it.each(['claude-opus-4-1-20250805', 'claude-haiku-4-5', 'claude-opus-4-6'])('is one of two for %s', (model) => {
    const { body, dropped } = toClaude('chat', sampled, model);
    expect(body).toMatchObject({ temperature: 0.2, top_k: 4 });
    expect(body['top_p']).toBeUndefined();
    expect(dropped).toEqual(['top_p']);
    const alone = toClaude('chat', { messages: hello, top_p: 0.9 }, model);
    expect(alone).toMatchObject({ body: { top_p: 0.9 }, dropped: [] });
  });

  it.each(['claude-opus-4-7', 'anthropic/claude-opus-4.8', 'claude-sonnet-5', 'claude-haiku-5-5-20261001'])(
    'is left out for %s, which would refuse it',
    (model) => {
      const { body, dropped } = toClaude('chat', sampled, model);
      expect(Object.keys(body)).toEqual(['model', 'max_tokens', 'messages']);
      expect(dropped).toEqual(['temperature', 'top_k', 'top_p']);
    },
  );

  it('is no loss where it says what holds anyway', () => {
    const { body, dropped } = toClaude('chat', { messages: hello, temperature: 1, top_p: 1 }, 'claude-opus-5');
    expect(Object.keys(body)).toEqual(['model', 'max_tokens', 'messages']);
    expect(dropped).toEqual([]);
  });
});

describe('thinking', () => {
  it('is told in words, which later models keep back unless asked', () => {
    const { body } = toClaude('chat', { messages: hello, reasoning_effort: 'xhigh' }, 'claude-opus-4-8');
    expect(body).toMatchObject({
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'xhigh' },
    });
  });

  it.each<[string, object | undefined, object | undefined, string[]]>([
    ['claude-sonnet-4-5', undefined, undefined, []],
    ['claude-opus-4-8', undefined, undefined, []],
    ['claude-opus-5', { type: 'disabled' }, undefined, []],
    ['claude-sonnet-5', { type: 'disabled' }, undefined, []],
    ['claude-haiku-5-5', { type: 'disabled' }, undefined, []],
    ['claude-sonnet-5-5', { type: 'between_tools' }, undefined, []],
    ['claude-opus-5-5', undefined, { effort: 'low' }, ['reasoning_effort']],
    ['claude-fable-5-1', undefined, { effort: 'low' }, ['reasoning_effort']],
  ])('is turned off for %s', (model, thinking, config, named) => {
    const { body, dropped } = toClaude('chat', { messages: hello, reasoning_effort: 'none' }, model);
    expect(body['thinking']).toEqual(thinking);
    expect(body['output_config']).toEqual(config);
    expect(dropped).toEqual(named);
  });

  it.each<[string, object | undefined]>([
    ['claude-sonnet-4-5', undefined],
    ['claude-opus-5', { type: 'disabled' }],
    ['claude-opus-5-5', undefined],
  ])('is not in the way of a tool that %s must call', (model, thinking) => {
    const { body, dropped } = toClaude('chat', { messages: hello, tools: [tool], tool_choice: 'required' }, model);
    expect(body['thinking']).toEqual(thinking);
    expect(body['tool_choice']).toEqual({ type: 'any' });
    expect(dropped).toEqual([]);
  });
});

describe('a thought that the client did not bring back', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
  const result = { role: 'tool', tool_call_id: 'c', content: 'sun' };
  const signed = { type: 'thinking', thinking: 'Hm.', signature: 'openclawmu:messages:s' };
  const foreign = { type: 'thinking', thinking: 'Hm.', signature: 'openclawmu:gemini:s' };
  const thinkingOf = (messages: object[], model?: string) => {
    const { body, dropped } = toClaude('chat', { messages, reasoning_effort: 'low' }, model);
    return [body['thinking'], dropped.includes('reasoning_effort')];
  };
  const answer = (...thinking_blocks: object[]) => ({
    role: 'assistant',
    content: null,
    thinking_blocks,
    tool_calls: [call],
  });
  const on = [{ type: 'enabled', budget_tokens: 2_000 }, false];
  const off = [undefined, true];

  it('is the end of thinking while tools are called, which Anthropic would refuse without it', () => {
    expect(thinkingOf([...hello, answer(), result])).toEqual(off);
    expect(thinkingOf([...hello, answer(foreign), result])).toEqual(off);
    expect(thinkingOf([...hello, answer(signed), result])).toEqual(on);
    // Of an answer in several steps the first has the thought.
    expect(thinkingOf([...hello, answer(signed), result, answer(), result])).toEqual(on);
    expect(thinkingOf([...hello, answer(), result, answer(signed), result])).toEqual(off);
  });

  it('is not missed once the user has spoken again, nor by models that decide by themselves', () => {
    expect(thinkingOf([...hello, answer(), result, assistant('Sun.'), user('Thanks.')])).toEqual(on);
    expect(thinkingOf([...hello, answer(), result], 'claude-opus-4-6')[1]).toBe(false);
  });
});

describe('blanks', () => {
  const written = (messages: object[]) => toClaude('chat', { messages }).body;
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };

  it('are no turn of their own', () => {
    const { messages, system: told } = written([system(' \n'), ...hello, assistant('\n'), user(' '), user('Well?')]);
    expect(told).toBeUndefined();
    expect(messages).toEqual([
      user([
        { type: 'text', text: 'Hello' },
        { type: 'text', text: 'Well?' },
      ]),
    ]);
  });

  it('stay beside what is none, so that an answer comes back as it was made', () => {
    const blank = [system('Be kind.'), ...hello, { role: 'assistant', content: '\n\n', tool_calls: [call] }];
    expect(written(blank)['messages']).toEqual([
      ...hello,
      assistant([
        { type: 'text', text: '\n\n' },
        { type: 'tool_use', id: 'c', name: 'f', input: {} },
      ]),
    ]);
    const empty = { type: 'text', text: '' };
    const told = written([system([empty, { type: 'text', text: 'Be kind.' }]), ...hello])['system'];
    expect(told).toBe('Be kind.');
  });
});

it('has the registered name of an image', () => {
  const image_url = { url: 'data:image/jpg;base64,/9j/' };
  const { body } = toClaude('chat', { messages: [user([{ type: 'image_url', image_url }])] });
  expect(JSON.stringify(body)).toContain('"media_type":"image/jpeg","data":"/9j/"');
});

describe('what the system says later', () => {
  const said = (messages: object[], model: string) => toClaude('chat', { messages }, model).body['messages'];
  const last = [...hello, system('Hurry.'), system('Be kind.')];

  it('is said by the user to models that would refuse it', () => {
    const text = (...texts: string[]) => texts.map((one) => ({ type: 'text', text: one }));
    expect(said(last, 'claude-sonnet-4-5')).toEqual([user(text('Hello', 'Hurry.', 'Be kind.'))]);
    expect(said([...hello, assistant('Hi'), system('Hurry.'), user('Well?')], 'claude-opus-4-7')).toEqual([
      user('Hello'),
      assistant('Hi'),
      user(text('Hurry.', 'Well?')),
    ]);
  });

  it('stays where later models allow it: behind the user, before the assistant or at the end', () => {
    const both = system([
      { type: 'text', text: 'Hurry.' },
      { type: 'text', text: 'Be kind.' },
    ]);
    expect(said(last, 'claude-opus-4-8')).toEqual([...hello, both]);
    expect(said([...last, assistant('Yes.'), user('Go.')], 'claude-sonnet-5-5')).toEqual([
      ...hello,
      both,
      assistant('Yes.'),
      user('Go.'),
    ]);
  });

  it('is said by the user elsewhere', () => {
    const text = (...texts: string[]) => texts.map((one) => ({ type: 'text', text: one }));
    expect(said([...hello, system('Hurry.'), user('Well?')], 'claude-opus-5')).toEqual([
      user(text('Hello', 'Hurry.', 'Well?')),
    ]);
    expect(said([...hello, assistant('Hi'), system('Hurry.')], 'claude-opus-5')).toEqual([
      user('Hello'),
      assistant('Hi'),
      user('Hurry.'),
    ]);
  });
});
