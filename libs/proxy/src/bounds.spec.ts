import type { ModelEntry } from '@app/billing';
import fc from 'fast-check';
import { boundsOf } from './bounds';
import { readFacts, type Dialect, type RequestFacts } from './request-facts';

const model: ModelEntry = {
  id: 'm',
  provider: 'p',
  upstreamModel: 'm',
  displayName: 'M',
  contextTokens: 200_000,
  maxOutputTokens: 8_192,
};

const factsOf = (dialect: Dialect, request: object): RequestFacts => {
  const result = readFacts(dialect, Buffer.from(JSON.stringify({ model: 'm', ...request })));
  if (!result.ok) throw new Error(result.problem.message);
  return result.facts;
};

/** The dearest tokenizer there can be: a token for every byte, as byte fallback makes of rare scripts. */
const tokensOf = (text: string): number => Buffer.byteLength(text);

/** What chat templates put around things, more generous than any that is published. */
const PREAMBLE = 700;
const AROUND_A_MESSAGE = 8;
const AROUND_A_TOOL = 12;
const TOOL_INSTRUCTIONS = 735;
const A_KNOWN_TOOL = 1_250;

const text = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('', '𒐫'.repeat(50), '👩‍🚀', '\u0000\u001f"\\', 'ﷺ'),
);
const tool = fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), description: text });

describe('the most a request can use', () => {
  test('is never less than what an OpenAI provider could honestly report', () => {
    const requests = fc.record({
      texts: fc.array(text, { maxLength: 40 }),
      asBlocks: fc.boolean(),
      images: fc.nat({ max: 3 }),
      tools: fc.array(tool, { maxLength: 10 }),
      limit: fc.option(fc.integer({ min: 1, max: 4_000 })),
      n: fc.option(fc.integer({ min: 1, max: 8 })),
    });
    fc.assert(
      fc.property(requests, ({ texts, asBlocks, images, tools, limit, n }) => {
        const messages: object[] = texts.map((content) => ({
          role: 'user',
          content: asBlocks ? [{ type: 'text', text: content }] : content,
        }));
        const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
        if (images > 0) messages.push({ role: 'user', content: Array<object>(images).fill(image) });
        const { inputTokensMax, outputTokensMax, choices } = boundsOf(
          factsOf('openai', {
            messages,
            ...(tools.length > 0 && { tools: tools.map((fn) => ({ type: 'function', function: fn })) }),
            ...(limit !== null && { max_completion_tokens: limit }),
            ...(n !== null && { n }),
          }),
          model,
        );
        const described = tools.reduce(
          (sum, { name, description }) => sum + tokensOf(name) + tokensOf(description) + AROUND_A_TOOL,
          tools.length > 0 ? TOOL_INSTRUCTIONS : 0,
        );
        const written = texts.reduce((sum, each) => sum + tokensOf(each) + AROUND_A_MESSAGE, PREAMBLE);
        expect(inputTokensMax).toBeGreaterThanOrEqual(written + described + (images > 0 ? model.contextTokens : 0));
        expect(outputTokensMax * choices).toBe((limit ?? model.maxOutputTokens) * (n ?? 1));
      }),
    );
  });

  test('is never less than what an Anthropic provider could honestly report', () => {
    const known = fc.constantFrom('bash_20250124', 'text_editor_20250728', 'computer_20250124', 'memory_20250818');
    const requests = fc.record({
      system: text,
      texts: fc.array(text, { maxLength: 40 }),
      documents: fc.nat({ max: 2 }),
      known: fc.uniqueArray(known),
      limit: fc.integer({ min: 1, max: 4_000 }),
    });
    fc.assert(
      fc.property(requests, ({ system, texts, documents, known: types, limit }) => {
        const source = { type: 'url', url: 'https://example.com/a.pdf' };
        const { inputTokensMax, outputTokensMax, choices } = boundsOf(
          factsOf('anthropic', {
            system,
            max_tokens: limit,
            messages: [
              ...texts.map((content) => ({ role: 'user', content: [{ type: 'text', text: content }] })),
              ...Array<object>(documents).fill({ role: 'user', content: [{ type: 'document', source }] }),
            ],
            tools: types.map((type) => ({ type, name: type.slice(0, 4) })),
          }),
          model,
        );
        const written = texts.reduce((sum, each) => sum + tokensOf(each) + AROUND_A_MESSAGE, PREAMBLE);
        const tools = types.length > 0 ? TOOL_INSTRUCTIONS + types.length * A_KNOWN_TOOL : 0;
        expect(inputTokensMax).toBeGreaterThanOrEqual(
          tokensOf(system) + written + tools + (documents > 0 ? model.contextTokens : 0),
        );
        expect([outputTokensMax, choices]).toEqual([limit, 1]);
      }),
    );
  });

  test('without a limit in the request the output is bounded by the catalogue', () => {
    expect(boundsOf(factsOf('openai', {}), model).outputTokensMax).toBe(8_192);
  });

  test('a limit of 0 is none: some servers take it so', () => {
    expect(boundsOf(factsOf('openai', { max_tokens: 0 }), model).outputTokensMax).toBe(8_192);
  });

  test('the bytes of an image are not taken for text as well', () => {
    const image = (data: string) =>
      factsOf('openai', {
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } }] },
        ],
      });
    const bound = (data: string): number => boundsOf(image(data), model).inputTokensMax;
    expect(bound('A'.repeat(1_000_000))).toBe(bound('A'));
    expect(bound('A')).toBeGreaterThan(model.contextTokens);
  });
});
