import { atOnce } from '@app/platform';
import { Findings, Scanner } from '@app/policy';
import fc from 'fast-check';
import { readRequest } from '../request/request-reader';
import type { Wire } from '../wire';
import { inspectRequest } from './request-inspection';

const scanner = new Scanner([
  { name: 'people', action: 'mask', on: 'both', detect: ['email', 'payment_card'] },
  { name: 'words', action: 'mask', on: 'both', words: ['user', 'content', 'Brightwater'] },
  { name: 'keys', action: 'refuse', on: 'both', detect: ['secrets'] },
]);
const KEY = `sk-ant-${'aB3'.repeat(20)}`;
const ANN = 'ann@example.com';
const MASK = '[email removed]';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function inspect(wire: Wire, body: object | string, allow = false): { text: string; findings: Findings } {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const findings = new Findings();
  const masked = atOnce(inspectRequest(bytes, readRequest(wire, bytes), scanner, allow, findings));
  if (findings.isEmpty) expect(masked).toBe(bytes);
  return { text: masked.toString('utf8'), findings };
}

const chat = (message: object, more: object = {}) => ({ model: 'm', messages: [message], ...more });
const user = (content: unknown) => ({ role: 'user', content });

describe('the texts of a request', () => {
  it.each<[string, Wire, object]>([
    ['a message', 'chat', chat(user(`Write to ${ANN}`))],
    ['a part', 'chat', chat(user([{ type: 'text', text: ANN }]))],
    ['an instruction', 'chat', chat({ role: 'system', content: ANN })],
    ['the result of a tool', 'chat', chat({ role: 'tool', tool_call_id: 'c', content: `{"mail":"${ANN}"}` })],
    ['a name', 'chat', chat({ ...user('x'), name: ANN })],
    [
      'the description of a tool',
      'chat',
      chat(user('x'), { tools: [{ type: 'function', function: { name: 'f', description: ANN } }] }),
    ],
    [
      'a schema',
      'chat',
      chat(user('x'), {
        response_format: { type: 'json_schema', json_schema: { name: 's', schema: { enum: [ANN] } } },
      }),
    ],
    ['whom it is for', 'chat', chat(user('x'), { user: ANN })],
    ['what nobody knows', 'chat', chat(user('x'), { next_years_field: { deep: [[ANN]] } })],
    ['a stop sequence', 'chat', chat(user('x'), { stop: [ANN] })],
    ['a system prompt', 'messages', chat(user('x'), { system: [{ type: 'text', text: ANN }] })],
    ['metadata', 'messages', chat(user('x'), { metadata: { user_id: ANN } })],
    [
      'the input of a tool',
      'messages',
      chat({ role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: { a: { [ANN]: ANN } } }] }),
    ],
    [
      'a tool result',
      'messages',
      chat(user([{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: ANN }] }])),
    ],
    [
      'a document of text',
      'messages',
      chat(user([{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: ANN } }])),
    ],
    ['an instruction of a response', 'responses', { model: 'm', input: 'x', instructions: ANN }],
    ['an input', 'responses', { model: 'm', input: ANN }],
    [
      'an item',
      'responses',
      { model: 'm', input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: ANN }] }] },
    ],
    ['an output', 'responses', { model: 'm', input: [{ type: 'function_call_output', call_id: 'c', output: ANN }] }],
    [
      'free text for a tool',
      'responses',
      { model: 'm', input: [{ type: 'custom_tool_call', call_id: 'c', name: 'f', input: ANN }] },
    ],
    ['texts for vectors', 'embeddings', { model: 'm', input: ['x', ANN] }],
  ])('are found in %s', (_, wire, body) => {
    const { text, findings } = inspect(wire, body);
    expect(text).toBe(JSON.stringify(body).replaceAll(ANN, MASK));
    expect(findings.masked).toBe('people');
  });

  it('are found in the arguments of a call, which stay JSON', () => {
    const call = (args: string) =>
      chat({
        role: 'assistant',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: args } }],
      });
    const { text } = inspect('chat', call('{"a":"x\\nann\\u0040example.com","card":4111111111111111}'));
    expect(text).toBe(JSON.stringify(call(`{"a":"x\\n${MASK}","card":"[payment card removed]"}`)));
  });

  it('are found through escapes, and everything else stays byte for byte', () => {
    const body = ` {"model" : "m", "n":1.0,\n"messages":[{"role":"user","content":"\\u0061nn@ex\\u0061mple.com \\u00e9","x":4111111111111111}],"top_p":1e0} `;
    expect(inspect('chat', body).text).toBe(
      ` {"model" : "m", "n":1.0,\n"messages":[{"role":"user","content":"${MASK} é","x":"[payment card removed]"}],"top_p":1e0} `,
    );
  });

  it('do not include what the APIs themselves say', () => {
    const { text, findings } = inspect(
      'messages',
      chat(
        user([
          { type: 'text', text: 'x' },
          { type: 'document', source: { type: 'content', content: 'y' } },
        ]),
      ),
    );
    expect(findings.isEmpty).toBe(true);
    expect(text).toContain('"role":"user"');
    expect(inspect('chat', chat(user('A user said: content'))).text).toContain(
      '"A [words removed] said: [words removed]"',
    );
    expect(inspect('chat', chat(user('x'), { metadata: { type: 'Brightwater' } })).text).toContain(
      '"type":"[words removed]"',
    );
  });

  it.each<[string, object, string]>([
    [
      'base64',
      { type: 'document', source: { type: 'base64', media_type: 'text/plain', data: base64(`To ${ANN}`) } },
      base64(`To ${MASK}`),
    ],
    [
      'base64 in a result',
      {
        type: 'tool_result',
        tool_use_id: 't',
        content: [{ type: 'document', source: { type: 'base64', media_type: 'text/csv', data: base64(ANN) } }],
      },
      base64(MASK),
    ],
  ])('are found in %s', (_, block, expected) => {
    expect(inspect('messages', chat(user([block]))).text).toContain(`"data":"${expected}"`);
  });

  it('are found in a file of text', () => {
    const file = (text: string) => ({
      type: 'file',
      file: { filename: 'a.md', file_data: `data:text/markdown;charset=utf-8;base64,${base64(text)}` },
    });
    expect(inspect('chat', chat(user([file(ANN)]))).text).toBe(JSON.stringify(chat(user([file(MASK)]))));
    const input = (text: string) => ({
      model: 'm',
      input: [{ role: 'user', content: [{ type: 'input_file', file_data: `data:text/plain;base64,${base64(text)}` }] }],
    });
    expect(inspect('responses', input(ANN)).text).toBe(JSON.stringify(input(MASK)));
  });
});

describe('a request', () => {
  it('is refused with the place, and not with what is there', () => {
    const body = chat(
      user([
        { type: 'text', text: 'x' },
        { type: 'text', text: `my key ${KEY}` },
      ]),
    );
    expect(() => inspect('chat', body)).toThrow(
      'The rule "keys" of your company found something at messages[0].content[1].text.',
    );
    expect(() => inspect('messages', chat(user('x'), { metadata: { [KEY]: 1, 'My Own': KEY } }))).toThrow(
      /at metadata\.$|at metadata\.?$/,
    );
    expect(() => inspect('messages', chat(user('x'), { metadata: { 'My Own': KEY } }))).toThrow('at metadata.*.');
  });

  it.each<[string, Wire, object, string]>([
    [
      'an image',
      'messages',
      chat(user([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBO' } }])),
      'images, at messages[0].content[0]',
    ],
    [
      'an image by its address',
      'chat',
      chat(user([{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }])),
      'images',
    ],
    ['sound', 'chat', chat(user([{ type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } }])), 'audios'],
    [
      'a PDF',
      'messages',
      chat(user([{ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' } }])),
      'documents of this kind',
    ],
    [
      'a document by its address',
      'messages',
      chat(user([{ type: 'document', source: { type: 'url', url: 'https://example.com/a.txt' } }])),
      'documents',
    ],
    [
      'text in another encoding',
      'messages',
      chat(
        user([
          {
            type: 'document',
            source: { type: 'base64', media_type: 'text/plain', data: Buffer.from(ANN, 'utf16le').toString('base64') },
          },
        ]),
      ),
      'documents',
    ],
    ['a block that nobody knows', 'messages', chat(user([{ type: 'hologram', text: 'x' }])), 'documents of this kind'],
    [
      'an item that nobody knows',
      'responses',
      { model: 'm', input: [{ type: 'hologram', content: 'x' }] },
      'documents of this kind',
    ],
    ['token ids', 'embeddings', { model: 'm', input: [[1, 2]] }, 'token ids, at input[0][0]'],
  ])('with %s is refused, unless that is allowed', (_, wire, body, what) => {
    expect(() => inspect(wire, body)).toThrow(what);
    expect(inspect(wire, body, true).findings.isEmpty).toBe(true);
  });

  it('keeps what a provider sealed for itself', () => {
    const thought = { type: 'thinking', thinking: `I write to ${ANN}`, signature: 'EqQBCkYIBxgCKkA+/x==' };
    const sealed = { type: 'redacted_thinking', data: `${'Eq'.repeat(20)}=` };
    const { findings } = inspect('messages', chat({ role: 'assistant', content: [thought, sealed] }));
    expect(findings.isEmpty).toBe(true);
    const unsigned = chat({ role: 'assistant', content: [{ ...thought, signature: '' }] });
    expect(inspect('messages', unsigned).text).toContain(`I write to ${MASK}`);
    for (const hidden of [
      { ...thought, signature: `x ${ANN}` },
      { ...sealed, data: `x ${ANN}` },
    ])
      expect(inspect('messages', chat({ role: 'assistant', content: [hidden] })).text).not.toContain(ANN);
    const leaking = chat({ role: 'assistant', content: [{ ...thought, thinking: KEY }] });
    expect(() => inspect('messages', leaking)).toThrow('"keys"');
    const reasoning = { type: 'reasoning', encrypted_content: 'gAAAAABo-x_y', summary: [] };
    expect(inspect('responses', { model: 'm', input: [reasoning] }).findings.isEmpty).toBe(true);
    expect(inspect('responses', { model: 'm', input: 'x', metadata: { encrypted_content: ANN } }).text).toContain(MASK);
  });

  it('holds no text any more that a rule masks, whatever it is made of', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.constantFrom(ANN, `é${ANN}`, '4111 1111 1111 1111', 'Brightwater', '__proto__'),
      fc.integer(),
      fc.constant(null),
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constant(ANN)), tie('any'), { maxKeys: 3 }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (any) => {
        const { text } = inspect('chat', chat(user('x'), { anything: any }));
        const again = JSON.stringify((JSON.parse(text) as { anything: unknown }).anything);
        for (const one of [ANN, '4111 1111 1111 1111', 'Brightwater']) expect(again).not.toContain(one);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a long request is looked through in steps', () => {
  const MEGABYTE = 1_048_576;
  const fill = (text: string): string => text.repeat(Math.ceil(MEGABYTE / text.length));
  const pdf = (text: string) => ({
    type: 'document',
    source: { type: 'base64', media_type: 'text/plain', data: base64(text) },
  });

  it.each<[string, Wire, object]>([
    ['of one text', 'chat', chat(user(fill(`to ${ANN} `)))],
    ['of many', 'chat', chat(user('x'), { stop: Array<string>(100_000).fill('some words') })],
    [
      'of many names',
      'chat',
      chat(user('x'), { a: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`n${i}`, 1])) }),
    ],
    ['of a long name', 'chat', chat(user('x'), { a: { [fill(`to ${ANN} `)]: 1 } })],
    ['of a text that is JSON', 'chat', chat(user('x'), { arguments: JSON.stringify(Array(100_000).fill('a b')) })],
    ['of a document', 'messages', chat(user([pdf(fill(`to ${ANN} `))]))],
    [
      'of a signed thought',
      'messages',
      chat({
        role: 'assistant',
        content: [{ type: 'thinking', thinking: fill('so '), signature: base64(KEY.repeat(4)) }],
      }),
    ],
  ])('%s', (_, wire, body) => {
    const bytes = Buffer.from(JSON.stringify(body));
    const facts = readRequest(wire, bytes);
    const steps = inspectRequest(bytes, facts, scanner, false, new Findings());
    let count = 0;
    let next = steps.next();
    for (; !next.done; next = steps.next()) count++;
    expect(count).toBeGreaterThan(bytes.length / 65_536);
    expect(next.value.toString('utf8')).not.toContain(ANN);
  });
});
