import { OPTIONS } from '../fixtures/set-up';
import type { ClientFormat, ProviderFormat } from './format';
import { StreamTranslator } from './stream-translator';
import { translateAnswer } from './translate-answer';
import { translateRequest } from './translate-request';

const LONG = `mcp__${'directory'.repeat(8)}__look_up`;
type Json = Record<string, unknown>;

function translate(from: ClientFormat, to: ProviderFormat, body: object) {
  const { recall, ...written } = translateRequest(from, to, Buffer.from(JSON.stringify(body)), OPTIONS);
  return { recall, text: written.body.toString() };
}

const asked = (name: string) => ({
  max_tokens: 50,
  tools: [
    { name, input_schema: { type: 'object' } },
    { name: 'plain', input_schema: { type: 'object' } },
  ],
  tool_choice: { type: 'tool', name },
  messages: [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't', name, input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'x' }] },
  ],
});

/** Each name that stands in a request. */
const namesIn = (text: string): string[] =>
  [...text.matchAll(/"(?:name":|allowedFunctionNames":\[)"([^"]+)"/g)].map(([, name]) => name as string);

describe('a name of a tool that a provider would refuse', () => {
  it.each<[ProviderFormat, string, RegExp, number]>([
    ['chat', LONG, /^[\w-]{1,64}$/, 3],
    ['responses', LONG, /^[\w-]{1,64}$/, 3],
    ['gemini', LONG, /^[a-z_][\w-]{0,63}$/i, 4],
    ['gemini', '2nd', /^[a-z_][\w-]{0,63}$/i, 4],
  ])('is another for %s, the same in tool, choice and history: %s', (to, name, taken, times) => {
    const { text } = translate('messages', to, asked(name));
    const [given, ...others] = new Set(namesIn(text));
    expect(given).toMatch(taken);
    expect(others).toEqual(['plain']);
    expect(namesIn(text).filter((one) => one === given)).toHaveLength(times);
    expect(namesIn(translate('messages', to, asked(`${name}2`)).text)).not.toContain(given);
  });

  it('is none that it takes', () => {
    const told = { name: LONG, parameters: {} };
    const body = { messages: [{ role: 'user', content: 'Hello' }], tools: [{ type: 'function', function: told }] };
    expect(namesIn(translate('chat', 'messages', body).text)).toEqual([LONG]);
    expect(translate('messages', 'chat', asked('plain2')).recall.clientNames?.size).toBe(0);
  });

  it('comes back as the client knows it, whole and in a stream', () => {
    const { text, recall } = translate('messages', 'chat', asked(LONG));
    const [name] = namesIn(text);
    const call = { index: 0, id: 'c', type: 'function', function: { name, arguments: '{}' } };
    const other = { ...call, index: 1, id: 'd', function: { name: 'plain', arguments: '{}' } };
    const whole = { choices: [{ message: { tool_calls: [call, other] }, finish_reason: 'tool_calls' }] };
    const answer = translateAnswer('chat', 'messages', Buffer.from(JSON.stringify(whole)), recall).toString();
    expect(namesIn(answer)).toEqual([LONG, 'plain']);
    const chunk = { choices: [{ delta: { tool_calls: [call, other] } }] };
    const stream = new StreamTranslator('chat', 'messages', recall).push(
      Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`),
    );
    expect(namesIn(stream.toString())).toEqual([LONG, 'plain']);
  });

  it('comes back in its namespace', () => {
    const namespace = 'n'.repeat(60);
    const tools = [
      { type: 'namespace', name: namespace, tools: [{ type: 'function', name: 'look_up', parameters: {} }] },
    ];
    const { text, recall } = translate('responses', 'chat', { input: 'Hello', tools });
    const [name] = namesIn(text);
    expect(name).toHaveLength(64);
    const call = { id: 'c', type: 'function', function: { name, arguments: '{}' } };
    const whole = { choices: [{ message: { tool_calls: [call] }, finish_reason: 'tool_calls' }] };
    const answer = JSON.parse(
      translateAnswer('chat', 'responses', Buffer.from(JSON.stringify(whole)), recall).toString(),
    ) as Json;
    expect(answer['output']).toMatchObject([{ namespace, name: 'look_up' }]);
  });
});

it.each<[ProviderFormat, string]>([
  ['chat', '"parameters":{"type":"object","properties":{}}'],
  ['responses', '"parameters":{"type":"object","properties":{}}'],
])('a tool without arguments says so to %s, which refuses it otherwise', (to, written) => {
  expect(translate('messages', to, asked('f')).text).toContain(written);
});
