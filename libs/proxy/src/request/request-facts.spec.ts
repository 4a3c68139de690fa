import { editMembers } from '../scan/request-edit';
import type { Wire } from '../wire';
import { type RequestFacts, readFacts } from './request-facts';

function facts(wire: Wire, request: unknown): RequestFacts {
  const result = readFacts(wire, Buffer.from(typeof request === 'string' ? request : JSON.stringify(request)));
  if (!result.ok) throw new Error(result.problem.message);
  return result.facts;
}

function problem(wire: Wire, request: unknown): string {
  const result = readFacts(wire, Buffer.from(typeof request === 'string' ? request : JSON.stringify(request)));
  if (result.ok) throw new Error('taken');
  return `${result.problem.reason} ${result.problem.field}: ${result.problem.message}`;
}

const openai = (more: object): RequestFacts => facts('chat', { model: 'm', messages: [], ...more });
const anthropic = (more: object): RequestFacts =>
  facts('messages', { model: 'm', messages: [], max_tokens: 9, ...more });
const named = ({ features }: RequestFacts): string[] => features.map(({ kind, name }) => `${kind}:${name}`);
const said = (...content: unknown[]): object => ({ messages: [{ role: 'user', content }] });

describe('readFacts', () => {
  it('reads a plain request of either dialect', () => {
    const body = {
      model: 'gpt',
      stream: true,
      max_tokens: 5,
      n: 2,
      user: 'u',
      messages: [{ role: 'user', content: 'é' }],
    };
    expect(facts('chat', body)).toMatchObject({
      ...{ wire: 'chat', model: 'gpt', stream: true, outputLimitTokens: 5, choices: 2, usageAsked: false },
      ...{
        endUser: 'u',
        declaresTools: false,
        knownTools: 0,
        features: [],
        ownedKeys: [],
        media: [],
      },
      bodyBytes: Buffer.byteLength(JSON.stringify(body)),
    });
    expect(anthropic({ metadata: { user_id: '{"session":1}' }, n: 7, stream: false })).toMatchObject({
      ...{ stream: false, outputLimitTokens: 9, choices: 1, endUser: '{"session":1}', usageAsked: false },
    });
  });

  it('takes null for unset and the larger of two output limits', () => {
    expect(openai({ max_tokens: null, n: null, stream: null })).toMatchObject({
      ...{ outputLimitTokens: null, choices: 1, stream: false, endUser: null },
    });
    expect(openai({ max_tokens: 10, max_completion_tokens: 70 }).outputLimitTokens).toBe(70);
    expect(openai({ max_tokens: 90, max_completion_tokens: 70 }).outputLimitTokens).toBe(90);
    expect(openai({ max_tokens: 1, n_predict: 5_000 }).outputLimitTokens).toBe(5_000);
    expect(openai({ max_tokens: 1, max_completion_tokens: 0 }).outputLimitTokens).toBe(0);
    expect(openai({ max_tokens: 0, max_completion_tokens: 9 }).outputLimitTokens).toBe(0);
    expect(anthropic({ max_tokens: 0 }).outputLimitTokens).toBe(0);
    expect(anthropic({ max_completion_tokens: 70 }).outputLimitTokens).toBe(9);
  });

  it.each([
    ['{}', 'missing model: model is required.'],
    ['{"model":null}', 'missing model: model is required.'],
    ['{"model":""}', 'out_of_range model: model must have 1 to 256 characters.'],
    ['{"model":["m"]}', 'wrong_type model: model must be a string.'],
    ['{"model":"m","max_tokens":"5"}', 'wrong_type max_tokens: max_tokens must be a whole number.'],
    ['{"model":"m","max_tokens":-1}', 'out_of_range max_tokens'],
    ['{"model":"m","max_tokens":1e99}', 'out_of_range max_tokens'],
    ['{"model":"m","max_tokens":1.5}', 'out_of_range max_tokens'],
    ['{"model":"m","max_tokens":1e999}', 'out_of_range max_tokens'],
    ['{"model":"m","max_completion_tokens":2147483648}', 'out_of_range max_completion_tokens'],
    ['{"model":"m","n":1000}', 'out_of_range n: n must be a whole number from 1 to 128.'],
    ['{"model":"m","n":0}', 'out_of_range n'],
    ['{"model":"m","stream":"yes"}', 'wrong_type stream: stream must be true or false.'],
    [
      '{"model":"m","max_tokens":1,"max_tokens":9}',
      'duplicate_key max_tokens: max_tokens is given twice (again at byte 28)',
    ],
    ['{"model":"m","Max_Tokens":9}', 'ambiguous_key Max_Tokens'],
    ['{"model":"m","stream_options":{"include_usage":true,"include_usage":false}}', 'duplicate_key include_usage'],
    ['{"model":"m","tools":[{"type":"function","type":"web_search"}]}', 'duplicate_key type'],
    ['{"model":"m"', 'malformed null: The request body is not valid JSON (at byte 12).'],
    ['', 'empty null'],
    ['[]', 'not_an_object null'],
  ])('refuses %s', (request, expected) => {
    expect(problem('chat', request)).toContain(expected);
  });

  it('sees whether the caller asked for usage', () => {
    expect(openai({ stream_options: { include_usage: true } }).usageAsked).toBe(true);
    expect(openai({ stream_options: { include_usage: false } }).usageAsked).toBe(false);
    expect(openai({ stream_options: null }).usageAsked).toBe(false);
    expect(openai({ messages: [{ content: '"include_usage":true' }] }).usageAsked).toBe(false);
  });

  it('lists the keys that are the gateway’s, so that they can be cut out', () => {
    const body = Buffer.from(
      '{"service_tier":"priority","model":"m","tags":["a"],"speed":"fast","x":1,"inference_geo":"us"}',
    );
    const result = readFacts('messages', body);
    if (!result.ok) throw new Error(result.problem.message);
    const { ownedKeys, object } = result.facts;
    expect(ownedKeys).toEqual(['service_tier', 'speed', 'inference_geo', 'tags']);
    expect(editMembers(body, object, { remove: ownedKeys }).toString()).toBe('{"model":"m","x":1}');
  });
});

describe('features', () => {
  it('names hosted tools and lets client tools pass', () => {
    const tool = (type?: string): object => ({ name: 't', type, input_schema: { type: 'web_search_20250305' } });
    const client = ['custom', 'bash_20250124', 'text_editor_20250728', 'computer_20251124', 'memory_20250818'];
    expect(anthropic({ tools: [tool(), ...client.map(tool), tool('browser_toolset_20260801')] })).toMatchObject({
      ...{ declaresTools: true, knownTools: 5, features: [] },
    });
    const hosted = ['code_execution_20260521', 'tool_search_tool_regex_20251119', 'mcp_toolset'];
    expect(named(anthropic({ tools: hosted.map(tool) }))).toEqual([
      ...['hosted_tool:code_execution', 'hosted_tool:tool_search_tool_regex', 'hosted_tool:mcp_toolset'],
    ]);
    expect(named(openai({ tools: [{ type: 'web_search_20250305' }] }))).toEqual(['hosted_tool:web_search']);
    expect(named(anthropic({ tools: [tool('something_new_20270101')] }))).toEqual(['hosted_tool:something_new']);
    expect(named(facts('messages', '{"model":"m","tools":[{"ty\\u0070e":"code\\u005fexecution_20260521"}]}'))).toEqual([
      'hosted_tool:code_execution',
    ]);
    expect(named(openai({ tools: [{ type: 'function', function: {} }, { type: 'custom' }, { type: 'mcp' }] }))).toEqual(
      ['hosted_tool:mcp'],
    );
    expect(openai({ tools: [] }).declaresTools).toBe(false);
    expect(openai({ functions: [{ name: 'f' }] }).declaresTools).toBe(true);
  });

  it.each(['chat', 'embeddings', 'responses', 'messages'] as const)(
    'names what %s servers bill beside the model',
    (wire) => {
      const of = (more: object): string[] => named(facts(wire, JSON.stringify({ model: 'm', ...more })));
      expect(of({ models: ['m', 'dear'], plugins: [{ id: 'web' }] })).toEqual(['price:models', 'hosted_tool:plugins']);
      expect(of({ fallbacks: ['dear'] })).toEqual(['price:fallbacks']);
      expect(of({ search_parameters: { mode: 'auto' }, enable_search: true })).toEqual([
        ...['hosted_tool:search_parameters', 'hosted_tool:enable_search'],
      ]);
      expect(of({ models: [], plugins: null, enable_search: false, search_parameters: null })).toEqual([]);
    },
  );

  it('names what changes the price or needs the shared account', () => {
    const asked = {
      prediction: { type: 'content' },
    };
    expect(named(openai({ ...asked, store: true, previous_response_id: 'resp_1' }))).toEqual([
      ...['price:prediction', 'state:store', 'state:previous_response_id'],
    ]);
    expect(named(openai({ store: false, modalities: ['text'], audio: null, prediction: null }))).toEqual([]);
    expect(
      named(
        anthropic({
          ...{
            container: 'c_1',
            mcp_servers: [{ url: 'x' }],
            thread: { type: 'create' },
            fallbacks: [{ model: 'big' }],
          },
          ...{
            diagnostics: { previous_message_id: 'msg_1' },
            context_management: { edits: [{ type: 'compact_20260112' }] },
          },
        }),
      ),
    ).toEqual([
      ...['price:fallbacks', 'state:container', 'hosted_tool:mcp_servers', 'state:thread'],
      ...['state:previous_message_id', 'price:compaction'],
    ]);
    const harmless = { mcp_servers: [], container: null, diagnostics: { previous_message_id: null } };
    expect(
      named(anthropic({ ...harmless, context_management: { edits: [{ type: 'clear_thinking_20251015' }] } })),
    ).toEqual([]);
  });
});

describe('what is priced by use', () => {
  it('tells searching tools and how often each may be used', () => {
    const asked = {
      tools: [
        { type: 'web_search_20250305', name: 'web_search', max_uses: 3 },
        { type: 'web_fetch_20250910', name: 'web_fetch' },
        { type: 'web_search_20260209', name: 'web_search', max_uses: null },
      ],
    };
    const { searches, object, features } = anthropic(asked);
    expect(features).toEqual([]);
    expect(searches.map(({ name, maxUses, sifts }) => [name, maxUses, sifts])).toEqual([
      ['web_search', 3, false],
      ['web_fetch', null, false],
      ['web_search', null, true],
    ]);
    expect(searches.map(({ placeForUses }) => placeForUses !== null && placeForUses > object.open)).toEqual([
      ...[false, true, false],
    ]);
    for (const max_uses of [-1, 1.5, '3', 2_000])
      expect(anthropic({ tools: [{ type: 'web_search_20250305', max_uses }] }).searches[0]?.maxUses).toBeNull();
    expect(openai({ web_search_options: {} }).searches).toMatchObject([{ name: 'web_search_options', maxUses: 1 }]);
    expect(openai({ web_search_options: null }).searches).toEqual([]);
  });

  it('tells whether the answer may be spoken', () => {
    expect(openai({ modalities: ['text', 'audio'] }).speaks).toBe(true);
    expect(openai({ audio: { voice: 'v' } }).speaks).toBe(true);
    expect(openai({ modalities: ['text'], audio: null }).speaks).toBe(false);
  });

  it('tells service tiers that are not the usual one', () => {
    expect(openai({ service_tier: 'flex' }).tiers).toEqual([{ key: 'service_tier', name: 'flex' }]);
    expect(anthropic({ speed: 'fast', service_tier: 'auto' }).tiers).toEqual([{ key: 'speed', name: 'fast' }]);
    for (const service_tier of ['auto', 'default', 'standard_only', null, 7])
      expect(openai({ service_tier }).tiers).toEqual([]);
  });

  it('tells what is set aside for thinking', () => {
    expect(anthropic({ thinking: { type: 'enabled', budget_tokens: 5_000 } }).thinkingTokens).toBe(5_000);
    expect(anthropic({ thinking: { type: 'adaptive' } }).thinkingTokens).toBe(0);
  });
});

describe('media', () => {
  const image = { type: 'image', source: { type: 'url', url: 'https://x' } };
  const seen = ({ media, object }: RequestFacts): [string, number][] =>
    media.map(({ kind, start, end }) => [kind, start > object.open ? end - start : -1]);
  const sizeOf = (block: unknown): number => JSON.stringify(block).length;

  it('counts blocks that their bytes do not bound, also inside tool results and documents', () => {
    const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } };
    const found = anthropic(said({ type: 'text', text: 'hi' }, image, { type: 'tool_result', content: [pdf] }));
    expect(seen(found)).toEqual([
      ['image', sizeOf(image)],
      ['other', sizeOf(pdf)],
    ]);
    const nested = { type: 'document', source: { type: 'content', content: [image, { type: 'text', text: 'x' }] } };
    expect(seen(anthropic(said(nested)))).toEqual([['image', sizeOf(image)]]);
    const parts = [{ type: 'image_url', image_url: { url: 'x' } }, { type: 'input_audio' }, { type: 'video_url' }];
    expect(anthropic({ messages: [{ content: image }] }).media).toHaveLength(1);
    expect(seen(openai(said({ type: 'text', text: 'hi' }, ...parts)))).toEqual(
      parts.map((part, index) => [['image', 'audio', 'video'][index], sizeOf(part)]),
    );
    expect(facts('messages', '{"model":"m","messages":[{"content":[{"type":"im\\u0061ge"}]}]}').media).toHaveLength(1);
  });

  it('is not misled by text, arguments or schemas that look like media', () => {
    const use = {
      type: 'tool_use',
      id: 't',
      name: 'n',
      input: { type: 'image', file_id: 'f', source: { file_id: 'f' } },
    };
    const plain = { type: 'document', source: { type: 'text', data: 'long text' } };
    const text = { type: 'text', text: '{"type":"image","source":{"type":"file","file_id":"f"}}' };
    const tools = [{ name: 'n', input_schema: { properties: { file_id: { type: 'string' } } } }];
    const found = anthropic({ tools, ...said(use, plain, text) });
    expect([found.media, found.features]).toEqual([[], []]);
  });

  it('looks into blocks that stand in blocks, and takes none that stand deeper than anybody puts them', () => {
    const inside = (levels: number): object =>
      levels === 0 ? image : { type: 'tool_result', content: [inside(levels - 1)] };
    expect(anthropic(said(inside(7))).media).toHaveLength(1);
    expect(problem('messages', { model: 'm', max_tokens: 9, ...said(inside(8)) })).toMatch(/^too_deep null: /);
    const single = (levels: number): object =>
      levels === 0 ? image : { type: 'tool_result', content: single(levels - 1) };
    expect(problem('messages', { model: 'm', max_tokens: 9, ...said(single(8)) })).toMatch(/^too_deep null: /);
  });

  it('names files that live in the shared account', () => {
    expect(named(anthropic(said({ type: 'image', source: { type: 'file', file_id: 'file_1' } })))).toEqual([
      'state:file_id',
    ]);
    expect(named(anthropic(said({ type: 'container_upload', file_id: 'file_1' })))).toEqual(['state:file_id']);
    expect(named(openai(said({ type: 'file', file: { file_id: 'file_1' } })))).toEqual(['state:file_id']);
    expect(named(openai({ messages: [{ role: 'assistant', audio: { id: 'a' } }] }))).toEqual(['state:audio']);
    expect(named(openai(said({ type: 'file', file: { file_data: 'AAAA' } })))).toEqual([]);
  });
});
