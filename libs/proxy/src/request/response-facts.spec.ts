import { editMembers } from '../scan/request-edit';
import { type RequestFacts, readFacts } from './request-facts';
import { searchEdits, toolsDropped } from './search-uses';

const bytes = (more: object): Buffer => Buffer.from(JSON.stringify({ model: 'm', input: 'Hello!', ...more }));

function facts(more: object): RequestFacts {
  const result = readFacts('responses', bytes(more));
  if (!result.ok) throw new Error(result.problem.message);
  return result.facts;
}

const named = ({ features }: RequestFacts): string[] => features.map(({ kind, name }) => `${kind}:${name}`);
const kinds = ({ media }: RequestFacts): string[] => media.map(({ kind }) => kind);
const item = (...content: object[]): object => ({ input: [{ role: 'user', content }] });

describe('a request of the responses API', () => {
  it('says how long the answer may be, who asks, and whether it streams', () => {
    expect(facts({ max_output_tokens: 70, max_tokens: 5, stream: true, n: 4, user: 'u' })).toMatchObject({
      ...{ wire: 'responses', model: 'm', outputLimitTokens: 70, stream: true, choices: 1, endUser: 'u', features: [] },
    });
    expect(facts({ service_tier: 'flex' })).toMatchObject({ tiers: [{ name: 'flex' }], ownedKeys: ['service_tier'] });
  });

  it('is kept by the provider unless it says otherwise, and then it is left as it is', () => {
    expect([facts({}).stores, facts({ store: null }).stores, facts({ store: true }).stores]).toEqual([
      true,
      true,
      true,
    ]);
    expect(facts({ store: false }).stores).toBe(false);
    expect(facts({ store: true }).ownedKeys).toEqual([]);
  });

  it.each<[string, object]>([
    ['state:previous_response_id', { previous_response_id: 'resp_1' }],
    ['state:conversation', { conversation: { id: 'conv_1' } }],
    ['state:prompt', { prompt: { id: 'pmpt_1' } }],
    ['state:background', { background: true }],
    ['price:context_management', { context_management: [{ type: 'compaction', compact_threshold: 9 }] }],
    ['state:item_reference', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['state:item_reference', { input: [{ id: 'msg_1' }] }],
    ['state:item_reference', { input: [{ id: 'msg_1', type: null }] }],
    ['state:file_id', item({ type: 'input_file', file_id: 'file_1' })],
    ['state:file_id', item({ type: 'input_image', file_id: 'file_1' })],
    [
      'state:file_id',
      { input: [{ type: 'computer_call_output', output: { type: 'computer_screenshot', file_id: 'f' } }] },
    ],
    ['state:container_id', { input: [{ type: 'code_interpreter_call', container_id: 'c_1' }] }],
    ['hosted_tool:file_search', { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }],
    ['hosted_tool:code_interpreter', { tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] }],
    ['hosted_tool:mcp', { tools: [{ type: 'mcp', server_url: 'https://x' }] }],
    ['hosted_tool:image_generation', { tools: [{ type: 'image_generation' }] }],
    ['hosted_tool:shell', { tools: [{ type: 'shell' }] }],
    ['hosted_tool:tool_search', { tools: [{ type: 'tool_search' }] }],
    ['hosted_tool:tool_search', { tools: [{ type: 'tool_search', execution: 'server' }] }],
    ['hosted_tool:code_interpreter', { tools: [{ type: 'code_interpreter', execution: 'client' }] }],
    ['hosted_tool:mcp', { input: [{ type: 'tool_search_output', tools: [{ type: 'mcp' }] }] }],
    ['hosted_tool:web_search', { input: [{ type: 'additional_tools', tools: [{ type: 'web_search' }] }] }],
    ['hosted_tool:web_search', { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'web_search' }] }] }],
  ])('names %s of %j', (feature, more) => {
    expect(named(facts(more))).toEqual([feature]);
  });

  it('lets pass what costs tokens and nothing else', () => {
    const found = facts({
      ...{ background: false, previous_response_id: null, conversation: null, prompt: null, context_management: [] },
      tools: [
        { type: 'function', name: 'f', parameters: { properties: { file_id: {}, type: { const: 'mcp' } } } },
        { type: 'custom', name: 'apply_patch', format: { type: 'grammar' } },
        { type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'g' }] },
        { type: 'local_shell' },
        { type: 'tool_search', execution: 'client', parameters: {} },
      ],
      input: [
        { role: 'developer', content: 'file_id' },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: '{"type":"item_reference"}' }] },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'x' }, { type: 'refusal' }] },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' },
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"file_id":"f"}' },
        { type: 'function_call_output', call_id: 'c', output: 'done' },
        { type: 'tool_search_output', execution: 'client', tools: [{ type: 'function', name: 'h' }] },
        { type: 'custom_tool_call_output', call_id: 'd', output: [{ type: 'input_text', text: 'x' }] },
      ],
    });
    expect([found.features, found.media, found.searches]).toEqual([[], [], []]);
    expect(found).toMatchObject({ declaresTools: true, knownTools: 1 });
  });

  it('counts what its bytes do not bound, also in what tools have put out', () => {
    const picture = { type: 'input_image', image_url: 'https://x', file_id: null };
    const parts = [picture, { type: 'input_file', file_data: 'AAAA' }, { type: 'input_audio', input_audio: {} }];
    expect(kinds(facts(item(...parts)))).toEqual(['image', 'other', 'audio']);
    const output = { type: 'function_call_output', output: [picture] };
    const screen = { type: 'computer_call_output', output: { type: 'computer_screenshot', image_url: 'data:' } };
    const unknown = { type: 'from_2031', content: 'x' };
    expect(kinds(facts({ input: [output, screen, unknown] }))).toEqual(['image', 'image', 'other']);
  });
});

it('takes no tools that stand deeper in namespaces than anybody puts them', () => {
  const inside = (levels: number): object =>
    levels === 0 ? { type: 'function', name: 'f' } : { type: 'namespace', name: 'n', tools: [inside(levels - 1)] };
  expect(facts({ tools: [inside(8)] }).features).toEqual([]);
  expect(() => facts({ tools: [inside(9)] })).toThrow('The request body is nested too deeply');
});

describe('web searches of the responses API', () => {
  const search = { type: 'web_search', external_web_access: true };
  const tools = [search, { type: 'function', name: 'f', parameters: {} }, { type: 'web_search_preview' }];
  const edited = (more: object, uses: readonly number[]): unknown => {
    const body = bytes(more);
    const known = facts(more);
    return JSON.parse(editMembers(body, known.object, searchEdits(body, known, uses)).toString());
  };

  it('are bounded by the calls of all tools together', () => {
    expect(facts({ tools, max_tool_calls: 3 }).searches).toMatchObject([
      { name: 'web_search', maxUses: 3, placeForUses: null },
      { name: 'web_search', maxUses: 3 },
    ]);
    expect(facts({ tools }).searches).toMatchObject([{ maxUses: null }, { maxUses: null }]);
  });

  it('get a number where they had none, and lose one that nobody prices', () => {
    expect(edited({ tools }, [4, 4])).toMatchObject({ tools, max_tool_calls: 4 });
    expect(edited({ tools, max_tool_calls: 2 }, [2, 2])).toEqual({
      model: 'm',
      input: 'Hello!',
      tools,
      max_tool_calls: 2,
    });
    expect(edited({ tools }, [0, 0])).toEqual({ model: 'm', input: 'Hello!', tools: [tools[1]] });
    expect(edited({ tools: [search] }, [0])).toEqual({ model: 'm', input: 'Hello!', tools: [] });
    expect(toolsDropped(facts({ tools: [search] }), [0])).toEqual(['tools.web_search']);
    expect(toolsDropped(facts({ tools: [search] }), [2])).toEqual([]);
  });

  it('are named once in a header, however many were lost', () => {
    const found = facts({ tools: [...Array<object>(500).fill(search), tools[1] as object] });
    const uses = found.searches.map(() => 0);
    expect(toolsDropped(found, uses)).toEqual(['tools.web_search']);
    expect(searchEdits(bytes({ tools: [...Array<object>(500).fill(search), tools[1]] }), found, uses).set).toEqual({
      tools: `[${JSON.stringify(tools[1])}]`,
    });
  });
});
