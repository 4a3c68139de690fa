import type { Bounds, ModelEntry } from '@app/billing';
import fc from 'fast-check';
import { readFacts } from '../request/request-facts';
import type { Wire } from '../wire';
import { boundsOf } from './bounds';

const model: ModelEntry = {
  id: 'm',
  provider: 'p',
  upstreamModel: 'm',
  displayName: 'M',
  contextTokens: 200_000,
  maxOutputTokens: 8_192,
};

const bounds = (wire: Wire, request: object, entry: ModelEntry = model, uses: readonly number[] = []): Bounds => {
  const body = Buffer.from(JSON.stringify({ model: 'm', ...request }));
  const result = readFacts(wire, body);
  if (!result.ok) throw new Error(result.problem.message);
  return boundsOf(result.facts, body, entry, { uses });
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
        const { inputTokensMax, outputTokensMax, choices } = bounds('chat', {
          messages,
          ...(tools.length > 0 && { tools: tools.map((fn) => ({ type: 'function', function: fn })) }),
          ...(limit !== null && { max_completion_tokens: limit }),
          ...(n !== null && { n }),
        });
        const described = tools.reduce(
          (sum, { name, description }) => sum + tokensOf(name) + tokensOf(description) + AROUND_A_TOOL,
          tools.length > 0 ? TOOL_INSTRUCTIONS : 0,
        );
        const written = texts.reduce((sum, each) => sum + tokensOf(each) + AROUND_A_MESSAGE, PREAMBLE);
        expect(inputTokensMax).toBeGreaterThanOrEqual(images > 0 ? model.contextTokens : written + described);
        expect(outputTokensMax * choices).toBe((limit ?? model.maxOutputTokens) * (n ?? 1));
      }),
    );
  });

  test('is never less than what a provider of vectors could honestly report, and has no output', () => {
    const ids = fc.array(fc.nat({ max: 200_000 }), { minLength: 1, maxLength: 300 });
    const entry = { ...model, contextTokens: 100 };
    // What a tokenizer puts around each text, such as a mark for its beginning and one for its end.
    const marks = 2;
    const ofText = (each: string): number => tokensOf(each) + marks;
    const inputs = fc.oneof(
      text.map((input) => ({ input, tokens: ofText(input) })),
      fc.array(text, { minLength: 1, maxLength: 200 }).map((input) => ({
        input,
        tokens: input.reduce((sum, each) => sum + ofText(each), 0),
      })),
      ids.map((input) => ({ input, tokens: input.length + marks })),
      fc.array(ids, { minLength: 1, maxLength: 20 }).map((input) => ({
        input,
        tokens: input.reduce((sum, each) => sum + each.length + marks, 0),
      })),
    );
    fc.assert(
      fc.property(inputs, fc.boolean(), ({ input, tokens }, streams) => {
        const asked = { input, stream: streams, max_tokens: 7, n: 3 };
        const found = bounds('embeddings', asked, entry);
        expect(found.inputTokensMax).toBeGreaterThanOrEqual(tokens);
        expect([found.outputTokensMax, found.choices]).toEqual([0, 1]);
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
        const { inputTokensMax, outputTokensMax, choices } = bounds('messages', {
          system,
          max_tokens: limit,
          messages: [
            ...texts.map((content) => ({ role: 'user', content: [{ type: 'text', text: content }] })),
            ...Array<object>(documents).fill({ role: 'user', content: [{ type: 'document', source }] }),
          ],
          tools: types.map((type) => ({ type, name: type.slice(0, 4) })),
        });
        const written = texts.reduce((sum, each) => sum + tokensOf(each) + AROUND_A_MESSAGE, PREAMBLE);
        const tools = types.length > 0 ? TOOL_INSTRUCTIONS + types.length * A_KNOWN_TOOL : 0;
        expect(inputTokensMax).toBeGreaterThanOrEqual(
          documents > 0 ? model.contextTokens : tokensOf(system) + written + tools,
        );
        expect([outputTokensMax, choices]).toEqual([limit, 1]);
      }),
    );
  });

  test('without a limit in the request the output is bounded by the catalogue', () => {
    expect(bounds('chat', {}).outputTokensMax).toBe(8_192);
  });

  test('a limit of 0 is none: some servers take it so', () => {
    expect(bounds('chat', { max_tokens: 0 }).outputTokensMax).toBe(8_192);
  });

  test('a prompt cannot be longer than the context window', () => {
    expect(bounds('chat', { messages: [{ content: 'x'.repeat(300_000) }] }).inputTokensMax).toBe(200_000);
  });

  describe('searching tools', () => {
    const entry: ModelEntry = { ...model, searchTokens: 10_000 };
    const decided = (wire: Wire, request: object, uses: readonly number[], of: ModelEntry = entry): Bounds =>
      bounds(wire, { max_tokens: 1_000, ...request }, of, uses);
    const searching = (...types: string[]): object => ({ tools: types.map((type) => ({ type, name: 't' })) });
    const search = searching('web_search_20250305');
    const plain = decided('messages', search, [0]).inputTokensMax;

    test('are bounded by what each round may read again, and by the number of searches', () => {
      expect(decided('messages', search, [3])).toMatchObject({
        ...{ webSearchesMax: 3, inputTokensMax: 4 * (plain + 30_000) },
      });
      expect(decided('messages', search, [3], model)).toMatchObject({ inputTokensMax: 4 * model.contextTokens });
      expect(decided('messages', search, [90])).toMatchObject({ inputTokensMax: 91 * model.contextTokens });
    });

    test('count a round more for each use that is sifted with code', () => {
      const sifting = decided('messages', searching('web_search_20260209'), [3]).inputTokensMax;
      expect(sifting / (plain + 30_000)).toBeCloseTo(7, 1);
    });

    test('cost no fee to fetch', () => {
      const both = searching('web_search_20250305', 'web_fetch_20250910');
      expect(decided('messages', both, [2, 5])).toMatchObject({ webSearchesMax: 2 });
    });

    test('search once for each answer of OpenAI, in the same round', () => {
      const agentic = { tools: [{ type: 'web_search' }] };
      const [once, thrice] = [1, 3].map((uses) => decided('responses', agentic, [uses]));
      expect(thrice?.webSearchesMax).toBe(3);
      expect(thrice?.inputTokensMax).toBeGreaterThan((once?.inputTokensMax ?? 0) * 2);
      expect(decided('chat', { web_search_options: {}, n: 2 }, [1])).toMatchObject({ webSearchesMax: 2 });
      const without = decided('chat', { web_search_opti0ns: {}, n: 2 }, []).inputTokensMax;
      expect(decided('chat', { web_search_options: {}, n: 2 }, [1]).inputTokensMax).toBe(without + 10_000);
    });
  });

  describe('sound', () => {
    const entry: ModelEntry = { ...model, audioTokensPerSecond: 10 };
    const heard = (data: Buffer, of: ModelEntry): Bounds => {
      const input_audio = { data: data.toString('base64'), format: 'mp3' };
      return bounds('chat', { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio }] }] }, of);
    };
    const mp3 = Buffer.concat([Buffer.from('ID3'), Buffer.alloc(80_000)]);

    test('is bounded by its length, and of its class', () => {
      const { audioInputTokensMax = 0, inputTokensMax } = heard(mp3, entry);
      expect(audioInputTokensMax).toBeGreaterThanOrEqual(800);
      expect(audioInputTokensMax).toBeLessThan(810);
      expect(inputTokensMax).toBeLessThan(3_000);
    });

    test.each(['video_url', 'input_video', 'video'])('may be all there is of a %s', (type) => {
      const content = [{ type, [type]: { url: 'https://example.com/a.mp4' } }];
      const { audioInputTokensMax, inputTokensMax } = bounds('chat', { messages: [{ role: 'user', content }] }, entry);
      expect([audioInputTokensMax, inputTokensMax]).toEqual([model.contextTokens, model.contextTokens]);
    });

    test('fills the context window where its length or its price is not known', () => {
      expect(heard(mp3, model).audioInputTokensMax).toBe(model.contextTokens);
      expect(heard(Buffer.from('something else, twelve bytes at least'), entry).audioInputTokensMax).toBe(200_000);
    });

    test('may be answered where the request says so', () => {
      expect(bounds('chat', { modalities: ['text', 'audio'] }).audioOutputAllowed).toBe(true);
      expect(bounds('chat', {}).audioOutputAllowed).toBe(false);
    });
  });

  describe('a picture', () => {
    const priced: ModelEntry = { ...model, imageTokens: 1_600, imagePatchPixels: 28 };
    const dataUrl = (bytes: Buffer): string => `data:image/png;base64,${bytes.toString('base64')}`;
    const shown = (url: string, entry: ModelEntry): number =>
      bounds('chat', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] }, entry)
        .inputTokensMax;
    const anthropic = (data: Buffer, entry: ModelEntry): number => {
      const source = { type: 'base64', media_type: 'image/png', data: data.toString('base64') };
      return bounds('messages', { messages: [{ content: [{ type: 'image', source }] }] }, entry).inputTokensMax;
    };
    const png = (width: number, height: number, rest = 0): Buffer => {
      const head = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
      const size = Buffer.alloc(8);
      size.writeUInt32BE(width, 0);
      size.writeUInt32BE(height, 4);
      return Buffer.concat([head, size, Buffer.alloc(8 + rest)]);
    };
    const bare = shown('', { ...priced, imageTokens: 1 });

    test('fills the context window where the catalogue knows no better', () => {
      expect(shown('https://x/a.png', model)).toBe(model.contextTokens);
    });

    test('behind a URL costs the most there is, however long the URL', () => {
      expect(shown('https://x/a.png', priced)).toBe(shown(`https://x/${'a'.repeat(5_000)}`, priced));
      expect(shown('https://x/a.png', priced) - bare).toBe(1_599);
    });

    test('whose bytes are there is billed by its size, however many bytes they are', () => {
      expect(shown(dataUrl(png(280, 281)), priced) - bare).toBe(10 * 11 - 1);
      expect(shown(dataUrl(png(280, 281, 900_000)), priced) - bare).toBe(10 * 11 - 1);
      expect(shown(dataUrl(png(50_000, 50_000)), priced) - bare).toBe(1_599);
      expect(anthropic(png(280, 281), priced)).toBe(anthropic(png(281, 280), priced));
      expect(anthropic(png(281, 281), priced)).toBeGreaterThan(anthropic(png(280, 281), priced));
    });

    test('whose bytes are none costs the most there is', () => {
      expect(shown(dataUrl(Buffer.from('not a picture, though one could think so')), priced) - bare).toBe(1_599);
      expect(shown('data:image/png;base64,', priced) - bare).toBe(1_599);
    });
  });
});
