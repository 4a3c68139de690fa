import fc from 'fast-check';
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base';
import { countTokens as cl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countText } from './count-text';

const AS_TEXT = { disallowedSpecial: new Set<string>() };
const o200kOf = (text: string): number => o200k(text, AS_TEXT);

const text = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.lorem({ maxCount: 80 }),
  fc.constantFrom(
    '',
    ' '.repeat(900),
    'a'.repeat(700),
    '𒐫'.repeat(600),
    '<|endoftext|>',
    '\n\n\t {}[]"\\',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿'.repeat(40),
  ),
);
const parameter = fc.record({ type: fc.constantFrom('string', 'number', 'boolean'), description: text });
const tool = fc.record({
  type: fc.constant('function'),
  function: fc.record({
    name: fc.stringMatching(/^[a-z_]{1,20}$/),
    description: text,
    parameters: fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), parameter, { maxKeys: 6 }),
    }),
  }),
});
const request = fc.record({
  model: fc.constant('gpt-4o'),
  messages: fc.array(fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content: text }), {
    maxLength: 12,
  }),
  tools: fc.array(tool, { maxLength: 4 }),
});

interface Asked {
  readonly messages: readonly { role: string; content: string }[];
  readonly tools: readonly {
    function: {
      name: string;
      description: string;
      parameters: { properties: Record<string, { type: string; description: string }> };
    };
  }[];
}

/** The prompt as OpenAI's models are known to see it: marked messages, and tools as declarations of a namespace. */
function rendered({ messages, tools }: Asked, count: (text: string) => number): number {
  const said = messages.reduce((sum, { role, content }) => sum + 3 + count(role) + count(content), 3);
  const declared = tools.map(({ function: fn }) => {
    const members = Object.entries(fn.parameters.properties).map(
      ([name, { type, description }]) => `// ${description}\n${name}?: ${type},\n`,
    );
    return `// ${fn.description}\ntype ${fn.name} = (_: {\n${members.join('')}}) => any;\n\n`;
  });
  return said + (tools.length > 0 ? count(`namespace functions {\n\n${declared.join('')}} // namespace functions`) : 0);
}

test.each([
  ['o200k_base', o200kOf],
  ['cl100k_base', (text: string) => cl100k(text, AS_TEXT)],
])('is never less than what %s makes of the prompt', (_, count) => {
  fc.assert(
    // What tools are introduced by is not in the request, and is added to every bound that has some.
    fc.property(request, (asked) => countText(asked, count) + 16 >= rendered(asked, count)),
    { numRuns: 300 },
  );
});

test('is far closer than the bytes where it matters: prose', () => {
  const content = 'The quick brown fox jumps over the lazy dog, again and again. '.repeat(500);
  const asked = { messages: [{ role: 'user', content }] };
  expect(countText(asked, o200kOf)).toBeLessThan(Buffer.byteLength(content) / 3);
  expect(countText(asked, o200kOf)).toBeGreaterThanOrEqual(o200kOf(content));
});

test('a text nested very deeply is walked without running out of stack', () => {
  let deep: unknown = 'x';
  for (let level = 0; level < 20_000; level++) deep = [deep];
  expect(countText(deep, o200kOf)).toBeGreaterThan(20_000);
});
