import { RECALL } from '../fixtures/set-up';
import type { ClientFormat, ProviderFormat } from './format';
import { StreamTranslator } from './stream-translator';
import { translateAnswer } from './translate-answer';

/** Ways of servers of open models and of others that speak a dialect of the large providers. */

function streamed(from: ProviderFormat, to: ClientFormat, events: readonly object[]): string {
  const translator = new StreamTranslator(from, to, RECALL);
  const bytes = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  return translator.push(Buffer.from(`${bytes}${from === 'chat' ? 'data: [DONE]\n\n' : ''}`)).toString();
}
const whole = (message: object, rest: object = {}) =>
  JSON.parse(
    translateAnswer(
      'chat',
      'messages',
      Buffer.from(JSON.stringify({ id: 'a9', choices: [{ message, finish_reason: 'stop', ...rest }] })),
      RECALL,
    ).toString(),
  ) as Record<string, unknown>;
const chunk = (delta: object, rest: object = {}) => ({ id: 'a9', choices: [{ delta, ...rest }] });

describe('Mistral', () => {
  const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] };
  const said = { type: 'text', text: 'Yes.' };

  it('tells thoughts and words as parts of a list', () => {
    expect(whole({ content: [thought, said] })['content']).toMatchObject([
      { type: 'thinking', thinking: 'Hm.' },
      { type: 'text', text: 'Yes.' },
    ]);
    const stream = streamed('chat', 'messages', [
      chunk({ content: [thought] }),
      chunk({ content: [said] }),
      chunk({ content: ' No.' }),
    ]);
    expect(stream.match(/"type":"\w+_delta","\w+":"[^"]*"/g)).toEqual([
      '"type":"thinking_delta","thinking":"Hm."',
      '"type":"signature_delta","signature":"openclawmu:chat:"',
      '"type":"text_delta","text":"Yes."',
      '"type":"text_delta","text":" No."',
    ]);
  });
});

describe('vLLM and SGLang', () => {
  it('tells which sequence ended an answer', () => {
    const told = { stop_reason: 'stop_sequence', stop_sequence: 'END' };
    expect(whole({ content: 'x' }, { stop_reason: 'END' })).toMatchObject(told);
    expect(whole({ content: 'x' }, { matched_stop: 'END' })).toMatchObject(told);
    const last = chunk({}, { finish_reason: 'stop', stop_reason: 'END' });
    expect(streamed('chat', 'messages', [chunk({ content: 'x' }), last])).toContain(JSON.stringify(told).slice(1, -1));
  });

  it.each([null, undefined, 128_009, 'stop', 'end_turn'])('tells of the model’s own end by %s', (stop_reason) => {
    expect(whole({ content: 'x' }, { stop_reason })).toMatchObject({ stop_reason: 'end_turn', stop_sequence: null });
  });
});

describe('calls', () => {
  it('without an id get one of their own', () => {
    const call = { function: { name: 'f', arguments: '{}' } };
    expect(whole({ tool_calls: [call, call] })['content']).toMatchObject([{ id: 'call_a9_0' }, { id: 'call_a9_1' }]);
    const deltas = [0, 1].map((index) => chunk({ tool_calls: [{ index, ...call }] }));
    expect(streamed('chat', 'messages', deltas).match(/"id":"call\w+"/g)).toEqual([
      '"id":"call_a9_0"',
      '"id":"call_a9_1"',
    ]);
  });

  const fragments = (written: string) => written.match(/"arguments":"(?:[^"\\]|\\.)+"/g);
  const args = '"arguments":"{\\"x\\":1}"';

  it('have their arguments where they begin', () => {
    const block = { type: 'tool_use', id: 't', name: 'f', input: { x: 1 } };
    const delta = { type: 'input_json_delta', partial_json: '{"x":1}' };
    const start = [
      { type: 'message_start', message: { id: 'm' } },
      { type: 'content_block_start', index: 0, content_block: block },
    ];
    const stop = { type: 'content_block_stop', index: 0 };
    expect(fragments(streamed('messages', 'chat', [...start, stop]))).toEqual([args]);
    const both = [...start, { type: 'content_block_delta', index: 0, delta }, stop];
    expect(fragments(streamed('messages', 'chat', both))).toEqual([args]);
  });

  it('have their arguments where they end', () => {
    const item = { type: 'function_call', id: 'fc', call_id: 'c', name: 'f', arguments: '' };
    const added = { type: 'response.output_item.added', item };
    const done = { type: 'response.output_item.done', item: { ...item, arguments: '{"x":1}' } };
    const delta = { type: 'response.function_call_arguments.delta', item_id: 'fc', delta: '{"x":1}' };
    expect(fragments(streamed('responses', 'chat', [added, done]))).toEqual([args]);
    expect(fragments(streamed('responses', 'chat', [added, delta, done]))).toEqual([args]);
  });
});
