import { Secret, type CodedError } from '@app/platform';
import { Findings, Scanner } from '@app/policy';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnswerSink } from '../answer/answer-sink';
import type { SealSignature } from '../thoughts/signed-thought';
import { openThought } from '../thoughts/thought-seal';
import { ThoughtSealer } from '../thoughts/thought-sealer';
import type { Wire } from '../wire';
import { inspectAnswer } from './answer-inspection';
import { MaskedEvents } from './masked-events';
import { MaskingSink } from './masking-sink';

const scanner = new Scanner([
  { name: 'people', action: 'mask', on: 'both', detect: ['email', 'payment_card'] },
  { name: 'names', action: 'mask', on: 'both', words: ['Brightwater', 'text', 'assistant'] },
]);
const refusing = new Scanner([{ name: 'keys', action: 'refuse', on: 'both', detect: ['secrets'] }]);
const KEY = `sk-ant-${'aB3'.repeat(20)}`;

type Event = Record<string, unknown>;
const sse = (events: readonly (Event | string)[]): string =>
  events
    .map((event) =>
      typeof event === 'string'
        ? `data: ${event}\n\n`
        : `${'type' in event ? `event: ${String(event['type'])}\n` : ''}data: ${JSON.stringify(event)}\n\n`,
    )
    .join('');
const read = (stream: string): Event[] =>
  stream.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as Event] : []));

function pass(
  wire: Wire,
  stream: string,
  sizes: readonly number[] = [],
  by = scanner,
  seal: SealSignature | null = null,
) {
  const findings = new Findings();
  const events = new MaskedEvents({ wire, scanner: by, isJson: false, seal }, findings);
  const bytes = Buffer.from(stream);
  const out: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    out.push(events.push(bytes.subarray(at, at + size)));
    at += size;
  }
  out.push(events.push(bytes.subarray(at)), events.flush());
  return { stream: Buffer.concat(out).toString('utf8'), findings };
}

/** How each API streams several texts at once, and how a client puts them together. */
const APIS = {
  chat: {
    stream: (texts: readonly string[][]) => [
      ...texts.map((_, index) => ({
        id: 'c',
        choices: [{ index, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      })),
      ...turns(texts).map(([index, piece]) => ({
        id: 'c',
        choices: [{ index, delta: { content: piece }, finish_reason: null }],
      })),
      ...texts.map((_, index) => ({ id: 'c', choices: [{ index, delta: {}, finish_reason: 'stop' }] })),
      '[DONE]',
    ],
    texts: (events: readonly Event[]) =>
      gathered(
        events.flatMap((event) =>
          (event['choices'] as { index: number; delta: Event }[]).map(({ index, delta }) => [
            index,
            delta['content'] ?? '',
          ]),
        ),
      ),
  },
  'chat calls': {
    stream: (texts: readonly string[][]) => [
      ...turns(texts).map(([index, piece]) => ({
        choices: [
          { index: 0, delta: { tool_calls: [{ index, function: { arguments: piece } }] }, finish_reason: null },
        ],
      })),
      { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    ],
    texts: (events: readonly Event[]) =>
      gathered(
        events.flatMap((event) =>
          (
            event['choices'] as { delta: { tool_calls?: { index: number; function: { arguments: string } }[] } }[]
          ).flatMap(({ delta }) =>
            (delta.tool_calls ?? []).map((call) => [call.index, call.function.arguments] as const),
          ),
        ),
      ),
  },
  messages: {
    stream: (texts: readonly string[][]) => [
      { type: 'message_start', message: { id: 'm', role: 'assistant', content: [] } },
      ...texts.map((_, index) => ({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } })),
      ...turns(texts).map(([index, text]) => ({
        type: 'content_block_delta',
        index,
        delta: { type: 'text_delta', text },
      })),
      ...texts.map((_, index) => ({ type: 'content_block_stop', index })),
      { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
      { type: 'message_stop' },
    ],
    texts: (events: readonly Event[]) =>
      gathered(
        events.flatMap(({ type, index, delta }) =>
          type === 'content_block_delta' ? [[index as number, (delta as Event)['text']]] : [],
        ),
      ),
  },
  responses: {
    stream: (texts: readonly string[][]) => [
      ...turns(texts).map(([content_index, delta], sequence_number) => ({
        type: 'response.output_text.delta',
        item_id: 'i',
        output_index: 0,
        content_index,
        delta,
        logprobs: [{ token: delta }],
        obfuscation: 'abc',
        sequence_number,
      })),
      ...texts.map((pieces, content_index) => ({
        type: 'response.output_text.done',
        item_id: 'i',
        output_index: 0,
        content_index,
        text: pieces.join(''),
        sequence_number: 900,
      })),
      {
        type: 'response.completed',
        response: {
          output: [
            { type: 'message', content: texts.map((pieces) => ({ type: 'output_text', text: pieces.join('') })) },
          ],
        },
        sequence_number: 999,
      },
    ],
    texts: (events: readonly Event[]) =>
      gathered(
        events.flatMap(({ type, content_index, delta }) =>
          type === 'response.output_text.delta' ? [[content_index as number, delta]] : [],
        ),
      ),
  },
} as const;

/** The pieces of all texts, in turns. */
const turns = (texts: readonly string[][]): [number, string][] => {
  const longest = Math.max(0, ...texts.map((pieces) => pieces.length));
  return Array.from({ length: longest }, (_, i) => i).flatMap((i) =>
    texts.flatMap((pieces, index) => (i < pieces.length ? [[index, pieces[i]] as [number, string]] : [])),
  );
};
const gathered = (pieces: readonly (readonly [number, unknown])[]): string[] => {
  const texts: string[] = [];
  for (const [index, piece] of pieces) texts[index] = (texts[index] ?? '') + String(piece);
  return texts;
};

const piece = fc.constantFrom(
  'ann',
  '@',
  'example',
  '.com',
  ' ',
  'Bright',
  'water',
  '4111 1111 ',
  '1111 1111',
  'x',
  ', ',
  '\n',
  'é',
  '😀',
  '"',
  '\\',
);
const texts = fc.array(fc.array(piece, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 });
const sizes = fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 40 });
const masked = (text: string): string => scanner.mask(text, new Findings());

describe('a stream', () => {
  it.each(['chat', 'messages', 'responses'] as const)('of %s says what the whole would, however it is cut', (api) => {
    const { stream, texts: told } = APIS[api];
    fc.assert(
      fc.property(texts, sizes, (pieces, cuts) => {
        const events = read(pass(api, sse(stream(pieces)), cuts).stream);
        const expected = pieces.map((all) => masked(all.join('')));
        expect(told(events)).toEqual(expected);
        if (api !== 'responses') return;
        const numbers = events.map((event) => event['sequence_number']);
        expect(numbers).toEqual(numbers.map((_, i) => i));
        expect(events.flatMap(({ type, text }) => (type === 'response.output_text.done' ? [text] : []))).toEqual(
          expected,
        );
        const { response } = events.at(-1) as unknown as { response: { output: { content: { text: string }[] }[] } };
        expect(response.output[0]?.content.map(({ text }) => text)).toEqual(expected);
        expect(JSON.stringify(events)).not.toMatch(/"token"|obfuscation/);
      }),
      { numRuns: 200 },
    );
  });

  it('of calls keeps their arguments JSON', () => {
    const args = (value: unknown): string[] => JSON.stringify(value).match(/[^]{1,3}/g) as string[];
    const calls = [args({ to: 'ann@example.com', card: 4111111111111111 }), args({ note: 'x\n"Brightwater"' })];
    const { stream, texts: told } = APIS['chat calls'];
    expect(told(read(pass('chat', sse(stream(calls))).stream)).map((json) => JSON.parse(json) as unknown)).toEqual([
      { to: '[email removed]', card: '[payment card removed]' },
      { note: 'x\n"[names removed]"' },
    ]);
  });

  it.each([
    ['chat', 'agent.chat.sse'],
    ['messages', 'agent.messages.sse'],
    ['responses', 'agent.responses.sse'],
  ] as const)('of %s in which nothing is found says the same', (wire, file) => {
    const stream = readFileSync(join(__dirname, '../../../dialects/src/golden/streams', file), 'utf8');
    const nothing = new Scanner([{ name: 'x', action: 'mask', on: 'both', words: ['xyzzy'] }]);
    const [before, after] = [read(stream), read(pass(wire, stream, [], nothing).stream)];
    const types = (events: readonly Event[]) =>
      events
        .map((event) => event['type'])
        .filter((type) => !String(type).endsWith('.delta') && type !== 'content_block_delta');
    expect(types(after)).toEqual(types(before));
    expect(after.at(-1)).toEqual({
      ...before.at(-1),
      ...(wire === 'responses' && { sequence_number: expect.any(Number) }),
    });
  });

  it('ends texts before what ends them', () => {
    const chunk = (delta: Event, finish_reason: string | null = null) => ({
      id: 'c',
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason }],
    });
    const { stream } = pass(
      'chat',
      sse([chunk({ reasoning_content: 'ann' }), chunk({ content: 'bob' }), chunk({}, 'stop'), '[DONE]']),
    );
    expect(
      read(stream).map((event) => (event['choices'] as { delta: Event; finish_reason: string | null }[])[0]),
    ).toMatchObject([
      { delta: { reasoning_content: 'ann' }, finish_reason: null },
      { delta: { content: 'bob' }, finish_reason: null },
      { delta: {}, finish_reason: 'stop' },
    ]);
    expect(stream).toMatch(/data: \[DONE\]\n\n$/);
    const last = pass('chat', sse([chunk({ content: 'ann@' }), chunk({ content: 'x.de' }, 'stop')])).stream;
    expect(read(last)).toMatchObject([{ choices: [{ delta: { content: '[email removed]' }, finish_reason: 'stop' }] }]);
  });

  it('tells the texts of a block and its seal in their order', () => {
    const delta = (delta: Event) => ({ type: 'content_block_delta', index: 0, delta });
    const events = [
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      delta({ type: 'thinking_delta', thinking: 'ask ann@example' }),
      { type: 'ping' },
      delta({ type: 'thinking_delta', thinking: '.com' }),
      delta({ type: 'signature_delta', signature: 'ann@example.com' }),
      { type: 'content_block_stop', index: 0 },
    ];
    expect(read(pass('messages', sse(events)).stream)).toEqual([
      events[0],
      delta({ type: 'thinking_delta', thinking: 'ask ' }),
      { type: 'ping' },
      delta({ type: 'thinking_delta', thinking: '[email removed]' }),
      events[4],
      events[5],
    ]);
  });

  it('is looked through where nobody knows it', () => {
    const { stream } = pass(
      'messages',
      sse([{ type: 'future_event', deep: [{ note: 'ann@example.com', 'ann@example.com': 1 }] }]),
    );
    expect(read(stream)).toEqual([{ type: 'future_event', deep: [{ note: '[email removed]', '[email removed]': 1 }] }]);
    const unknown = { type: 'content_block_delta', index: 0, delta: { type: 'future_delta', word: 'ann@' } };
    const more = { ...unknown, delta: { type: 'future_delta', word: 'x.de' } };
    expect(pass('messages', sse([unknown, more, { type: 'content_block_stop', index: 0 }])).stream).toContain(
      '[email removed]',
    );
    const details = {
      choices: [
        {
          index: 0,
          delta: { content: 'x', reasoning_details: [{ text: 'ann@' }] },
          logprobs: { content: [{ token: 'x' }] },
        },
      ],
    };
    expect(pass('chat', sse([details])).stream).not.toMatch(/ann|token/);
    expect(pass('chat', ': note to ann@example.com\n\ndata: ann@example.com\n\n').stream).not.toContain('ann');
  });

  it('leaves out thoughts in pieces that nobody joins, and keeps those that are signed', () => {
    const thought = (thinking: string, signature = ''): Event => ({
      choices: [
        {
          index: 0,
          delta: { reasoning_content: thinking, thinking_blocks: [{ type: 'thinking', thinking, signature }] },
          finish_reason: null,
        },
      ],
    });
    const told = pass('chat', sse([thought('ann@'), thought('example.com'), thought('Two.', 'c2ln'), '[DONE]'])).stream;
    expect(told).not.toContain('example.com');
    expect(read(told).flatMap(({ choices }) => choices as { delta: { thinking_blocks?: object[] } }[])).toContainEqual(
      expect.objectContaining({
        delta: expect.objectContaining({
          thinking_blocks: [{ type: 'thinking', thinking: 'Two.', signature: 'c2ln' }],
        }),
      }),
    );
  });

  it('says nothing of what it is refused for, nor behind it', () => {
    const delta = (text: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
    const pieces = ['The key is ', ...(KEY.match(/.{1,5}/g) as string[]), ' and', ' more'];
    const { stream, findings } = pass('messages', sse(pieces.map(delta)), [], refusing);
    expect(findings.refusedBy).toBe('keys');
    expect(read(stream)).toEqual([delta('The key is ')]);
    const done = {
      type: 'response.completed',
      response: { output: [{ type: 'message', content: [{ type: 'output_text', text: KEY }] }] },
    };
    expect(pass('responses', sse([done]), [], refusing).stream).toBe('');
  });
});

const AS_CHAT = { wire: 'chat', scanner, isJson: false, seal: null } as const;

describe('a whole answer', () => {
  const inspect = (answer: object, isJson = false): string =>
    (inspectAnswer(Buffer.from(JSON.stringify(answer)), { ...AS_CHAT, isJson }, new Findings()) as Buffer).toString(
      'utf8',
    );

  it('is masked by splicing, without logprobs', () => {
    const answer = (content: string, logprobs: unknown, args: string) => ({
      id: 'chatcmpl-1',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content, tool_calls: [{ id: 'c', function: { name: 'f', arguments: args } }] },
          logprobs,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 1 },
    });
    expect(inspect(answer('To ann@example.com', { content: [{ token: 'ann' }] }, '{"n":4111111111111111}'))).toBe(
      JSON.stringify(answer('To [email removed]', null, '{"n":"[payment card removed]"}')),
    );
  });

  it('of JSON stays JSON', () => {
    const answer = (text: string) => ({ role: 'assistant', content: [{ type: 'text', text }] });
    expect(inspect(answer('{"card":4111111111111111}'), true)).toBe(
      JSON.stringify(answer('{"card":"[payment card removed]"}')),
    );
    expect(inspect(answer('card 4111111111111111'), false)).toBe(JSON.stringify(answer('card [payment card removed]')));
  });

  it('that is not JSON does not pass', () => {
    expect(inspectAnswer(Buffer.from('ann@example.com'), AS_CHAT, new Findings())).toBeNull();
  });
});

describe('a signed thought', () => {
  const golden = (file: string): string => readFileSync(join(__dirname, '../../../dialects/src/golden', file), 'utf8');
  const key = { id: 'k', key: new Secret(Buffer.alloc(32, 7).toString('base64')) };
  const sealer = new ThoughtSealer(key, 'finance');
  const seal: SealSignature = (thought, told) => sealer.signatureFor('claude', thought, told);
  const cities = new Scanner([{ name: 'places', action: 'mask', on: 'answer', pattern: 'Two c[a-z]{2,8}' }]);
  const TOLD = '[places removed].';
  const opened = (signature: string, told = TOLD) => openThought([key], 'finance', signature, [told]);
  const of = (signature: string) => ({ ok: true, thought: { family: 'claude', texts: ['Two cities.'], signature } });

  it('of a stream that is masked is sealed in its signature, wherever the stream is cut', () => {
    const stream = golden('streams/agent.messages.sse');
    const [from, to] = [stream.indexOf('"thinking_delta"'), stream.indexOf('c2lnbmF0dXJl') + 20];
    for (let at = from; at <= to; at++) {
      const events = read(pass('messages', stream, [at], cities, seal).stream);
      const deltas = events.flatMap(({ delta }) => (delta ? [delta as Event] : []));
      expect(deltas.map(({ thinking }) => (thinking ?? '') as string).join('')).toBe(TOLD);
      const signatures = deltas.flatMap(({ signature }) => (signature === undefined ? [] : [signature as string]));
      expect(signatures.map((signature) => opened(signature))).toEqual([of('c2lnbmF0dXJl')]);
      expect(events).toContainEqual(
        expect.objectContaining({ content_block: { type: 'redacted_thinking', data: 'cmVkYWN0ZWQ=' } }),
      );
    }
  });

  const SEALS = /"(openclawmu:thought:[^"]*)"/g;
  it.each<[Wire, string, string, number]>([
    ['messages', 'answers/agent.messages.json', 'c2lnbmF0dXJl', 1],
    ['chat', 'answers/agent.messages-to-chat.json', 'openclawmu:messages:c2lnbmF0dXJl', 1],
    ['responses', 'answers/agent.messages-to-responses.json', 'openclawmu:messages:c2lnbmF0dXJl', 1],
    ['chat', 'streams/agent.messages-to-chat.sse', 'openclawmu:messages:c2lnbmF0dXJl', 1],
    // When the item is done, and when the response is.
    ['responses', 'streams/agent.messages-to-responses.sse', 'openclawmu:messages:c2lnbmF0dXJl', 2],
    // Their summaries are not signed.
    ['responses', 'answers/agent.responses.json', '', 0],
    ['messages', 'answers/agent.responses-to-messages.json', '', 0],
    ['messages', 'answers/agent.gemini-to-messages.json', '', 0],
    ['chat', 'answers/agent.gemini-to-chat.json', '', 0],
    ['messages', 'streams/agent.responses-to-messages.sse', '', 0],
  ])('for a client of %s, in %s, is sealed if its text is signed', (wire, file, signature, count) => {
    const text = golden(file);
    const told = file.endsWith('.sse')
      ? pass(wire, text, [], cities, seal).stream
      : String(inspectAnswer(Buffer.from(text), { wire, scanner: cities, isJson: false, seal }, new Findings()));
    expect(told).toContain('[places removed]');
    expect([...told.matchAll(SEALS)].map(([, sealed]) => opened(sealed as string))).toEqual(
      Array.from({ length: count }, () => of(signature)),
    );
  });

  it('that comes whole in the first event of its block is sealed', () => {
    const block = { type: 'thinking', thinking: 'Two cities.', signature: 'c2lnbmF0dXJl' };
    const [event] = read(
      pass('messages', sse([{ type: 'content_block_start', index: 0, content_block: block }]), [], cities, seal).stream,
    );
    const { thinking, signature } = event?.['content_block'] as typeof block;
    expect([thinking, opened(signature)]).toEqual([TOLD, of('c2lnbmF0dXJl')]);
  });

  it('in which nothing is masked keeps its signature', () => {
    const stream = golden('streams/agent.messages.sse');
    expect(pass('messages', stream, [], scanner, seal).stream).toContain('"signature":"c2lnbmF0dXJl"');
    const whole = Buffer.from(golden('answers/agent.messages.json'));
    expect(inspectAnswer(whole, { wire: 'messages', scanner, isJson: false, seal }, new Findings())).toBe(whole);
  });

  it('that is refused is told as masked, unless it went back as it was written, behind what was found', () => {
    const seen: unknown[] = [];
    const told = (isRestored: boolean): unknown => {
      const sink = { whole: (_: number, __: object, body: Buffer) => seen.push(String(body)) } as unknown as AnswerSink;
      const onlooker = { over: (findings: Findings) => seen.push(findings.masked), refused: () => undefined };
      const inspecting = { wire: 'messages' as const, scanner, isJson: false, seal: null };
      const message = 'messages.1.content.0: Invalid `signature` in `thinking` block, ask ann@example.com';
      try {
        return new MaskingSink(sink, '', inspecting, onlooker, isRestored).whole(
          400,
          {},
          Buffer.from(JSON.stringify({ message })),
        );
      } catch (error) {
        return (error as CodedError).code;
      }
    };
    expect(told(false)).toBe('thought_masked');
    expect(seen).toEqual(['people']);
    expect(told(true)).toBeUndefined();
    expect(seen.slice(1)).toEqual(['people', expect.stringContaining('block, ask [email removed]')]);
  });
});
