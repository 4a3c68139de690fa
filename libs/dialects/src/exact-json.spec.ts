import fc from 'fast-check';
import { OPTIONS, RECALL } from '../fixtures/set-up';
import { markedNumber, parseExact, writeExact } from './exact-json';
import type { ClientFormat, ProviderFormat } from './format';
import { StreamTranslator } from './stream-translator';
import { translateAnswer } from './translate-answer';
import { translateRequest } from './translate-request';

const ARGS =
  '{"id":12345678901234567890,"ids":[-9007199254740993,9007199254740991],"far":1e400,"half":0.5,"said":"a \\\\\\" 12345678901234567890"}';

it('gives any JSON back', () => {
  fc.assert(fc.property(fc.json(), (json) => expect(writeExact(parseExact(json))).toBe(json)));
});

it('gives numbers back that these change', () => {
  expect(writeExact(parseExact(ARGS))).toBe(ARGS);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.bigInt())), (members) => {
      const json = `[${members.map(([said, id]) => `${JSON.stringify(said)},{"id": ${id}}`).join()}]`;
      expect(writeExact(parseExact(json))).toBe(json.replaceAll('": ', '":'));
    }),
  );
});

it('reads them as numbers', () => {
  const [large, told] = parseExact('[12345678901234567890,"12345678901234567890"]') as [string, string];
  expect(markedNumber(large)).toBe(12345678901234567890);
  expect(markedNumber(told)).toBeUndefined();
});

it('takes nothing for JSON that is none', () => {
  for (const broken of ['{"a":1234567890123456789', '12345678901234567890 1', '"1234567890123456789', '-', '[1e1000e]'])
    expect(() => parseExact(broken)).toThrow(SyntaxError);
});

/** As they stand in a text within a text. */
const QUOTED = JSON.stringify(ARGS);

describe('arguments of tools', () => {
  const chat = `{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":${QUOTED}}}]}]}`;
  const messages = `{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":${ARGS}}]}]}`;

  it.each<[ClientFormat, ProviderFormat, string, string]>([
    ['chat', 'messages', chat, `"input":${ARGS}`],
    ['chat', 'gemini', chat, `"args":${ARGS}`],
    ['messages', 'chat', messages, `"arguments":${QUOTED}`],
    ['messages', 'responses', messages, `"arguments":${QUOTED}`],
    ['messages', 'gemini', messages, `"args":${ARGS}`],
  ])('of %s reach %s as they were written', (from, to, body, written) => {
    expect(translateRequest(from, to, Buffer.from(body), OPTIONS).body.toString()).toContain(written);
  });

  const answers: Readonly<Record<'messages' | 'gemini', string>> = {
    messages: `{"content":[{"type":"tool_use","id":"c","name":"f","input":${ARGS}}]}`,
    gemini: `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":${ARGS}}}]},"finishReason":"STOP"}]}`,
  };

  it.each<[keyof typeof answers, ClientFormat, string]>([
    ['messages', 'chat', `"arguments":${QUOTED}`],
    ['gemini', 'messages', `"input":${ARGS}`],
    ['gemini', 'responses', `"arguments":${QUOTED}`],
  ])('of a model by %s reach a client of %s', (from, to, written) => {
    expect(translateAnswer(from, to, Buffer.from(answers[from]), RECALL).toString()).toContain(written);
  });

  it('reach a client of a stream', () => {
    const stream = Buffer.from(`data: ${answers.gemini}\n\n`);
    expect(new StreamTranslator('gemini', 'chat', RECALL).push(stream).toString()).toContain(`"arguments":${QUOTED}`);
  });
});

it('bounds in a schema are kept, and settings are read', () => {
  const body = `{"messages":[{"role":"user","content":"Hi"}],"seed":9007199254740993,"tools":[{"type":"function","function":{"name":"f","parameters":{"maximum":9007199254740993}}}]}`;
  const written = translateRequest('chat', 'gemini', Buffer.from(body), OPTIONS).body.toString();
  expect(written).toContain('{"maximum":9007199254740993}');
  expect(written).toContain('"seed":9007199254740992');
});
