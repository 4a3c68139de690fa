import fc from 'fast-check';
import { CustomInput, customInput } from './custom-input';
import type { ClientFormat } from './format';
import { StreamTranslator } from './stream-translator';

const pushed = (...fragments: string[]): string[] => {
  const custom = new CustomInput();
  return [...fragments.map((fragment) => custom.push(fragment)), custom.end()];
};

it('takes free text out of its arguments, cut anywhere', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (input, seed) => {
      const json = JSON.stringify({ input });
      const at = seed % (json.length + 1);
      expect(pushed(json.slice(0, at), json.slice(at)).join('')).toBe(input);
    }),
  );
});

it('tells no half of a character', () => {
  expect(pushed('{"input":"a\\ud83d', '\\ude00b"}')).toEqual(['a', '😀b', '']);
  expect(pushed('{"input":"a\\ud83d')).toEqual(['a', '\ud83d']);
});

it.each([
  ['{"input":"abc', 'abc'],
  ['{"why":"w","input":"abc"}', 'abc'],
  ['{"patch":"abc"}', '{"patch":"abc"}'],
  ['{"input":7}', '{"input":7}'],
  ['not JSON', 'not JSON'],
  ['{}', '{}'],
])('makes the most of %s', (args, input) => {
  expect(customInput(args)).toBe(input);
  expect(pushed(...args).join('')).toBe(input);
});

it('looks for the beginning in the first letters only, as that takes longer with each', () => {
  expect(pushed(`{${' '.repeat(40)}"input":"abc"}`)).toEqual(['abc', '']);
  expect(pushed(`{${' '.repeat(80)}"input":"abc"}`)).toEqual(['', 'abc']);
});

/** The input of a custom tool as a client puts it together, and as it is told at its end. */
function streamed(to: ClientFormat, args: string): { told: string; whole: unknown } {
  const delta = (told: object) => `data: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: told })}\n\n`;
  const block = { type: 'tool_use', id: 't', name: 'patch', input: {} };
  const stream = [
    'data: {"type":"message_start","message":{"id":"m"}}\n\n',
    `data: ${JSON.stringify({ type: 'content_block_start', index: 0, content_block: block })}\n\n`,
    ...[...args].map((partial_json) => delta({ type: 'input_json_delta', partial_json })),
    'data: {"type":"content_block_stop","index":0}\n\ndata: {"type":"message_stop"}\n\n',
  ].join('');
  const recall = {
    ...{ model: 'm', usageAsked: false, customTools: new Set(['patch']), namespaced: new Map() },
    ...{ echo: {}, fallbackId: 'f', createdSeconds: 1 },
  };
  const events = new StreamTranslator('messages', to, recall)
    .push(Buffer.from(stream))
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);
  if (to === 'responses') {
    const deltas = events.filter(({ type }) => type === 'response.custom_tool_call_input.delta');
    const done = events.find(({ type }) => type === 'response.custom_tool_call_input.done');
    return { told: deltas.map((event) => event['delta']).join(''), whole: done?.['input'] };
  }
  const choices = events.flatMap(
    ({ choices: all }) => all as { delta: { tool_calls?: { custom: { input: string } }[] } }[],
  );
  const told = choices.map((choice) => choice.delta.tool_calls?.[0]?.custom.input ?? '').join('');
  return { told, whole: told };
}

it.each(['{"input":"abc"}', '{"input":"abc', '{"why":"w","input":"abc"}'])(
  'reaches clients the same from %s',
  (args) => {
    expect(streamed('responses', args)).toEqual({ told: 'abc', whole: 'abc' });
    expect(streamed('chat', args)).toEqual({ told: 'abc', whole: 'abc' });
  },
);
