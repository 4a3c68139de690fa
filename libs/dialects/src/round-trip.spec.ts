import fc from 'fast-check';
import { OPTIONS as USUAL, RECALL as PLAIN } from '../fixtures/set-up';
import { writeChatRequest } from './chat/write-request';
import type { Conversation, Part, Turn } from './conversation';
import type { ClientFormat } from './format';
import { writeMessagesRequest } from './messages/write-request';
import type { Recall, Reply } from './reply';
import type { Target } from './request-writer';
import { writeResponsesRequest } from './responses/write-request';
import { StreamTranslator } from './stream-translator';
import { translateAnswer } from './translate-answer';
import { translateRequest, type TranslationOptions } from './translate-request';
import { writeChatReply } from './chat/write-reply';
import { writeMessagesReply } from './messages/write-reply';
import { writeResponsesReply } from './responses/write-reply';

const CLIENTS: readonly ClientFormat[] = ['chat', 'responses', 'messages'];
const PAIRS = CLIENTS.flatMap((a) => CLIENTS.filter((b) => b !== a).map((b) => [a, b] as const));

const OPTIONS: TranslationOptions & Target = {
  ...USUAL,
  model: 'gpt-4.1',
  publicModel: 'gpt-4.1',
  chatLimit: 'max_completion_tokens',
};

const RECALL: Recall = { ...PLAIN, usageAsked: true };

/** Turns of nothing but blanks are none, as Anthropic refuses them. */
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((said) => said.trim() !== '');
const args = fc.dictionary(word, fc.oneof(word, fc.integer()), { maxKeys: 3 }).map((value) => JSON.stringify(value));
const source = fc.oneof(
  fc.record({ kind: fc.constant('base64' as const), mediaType: fc.constant('image/png'), data: fc.constant('aGk=') }),
  fc.record({ kind: fc.constant('url' as const), url: fc.webUrl() }),
);
const text = word.map((value): Part => ({ kind: 'text', text: value }));
const image = source.map((value): Part => ({ kind: 'image', source: value, detail: null }));

/** What the user says, and an answer that calls tools, whose results the next turn brings. */
const exchange = fc
  .record({
    asked: fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 }),
    said: fc.option(word),
    calls: fc.array(fc.record({ args, result: word }), { maxLength: 3 }),
  })
  .map(({ asked, said, calls }, index = 0): Turn[] => {
    const made = calls.map((call, n): Part => ({
      kind: 'call',
      id: `call_${index}_${n}`,
      name: 'look_up',
      args: call.args,
    }));
    const answer: Part[] = [...(said === null ? [] : [{ kind: 'text', text: said } as const]), ...made];
    const results = calls.map(({ result }, n): Part => ({
      kind: 'result',
      id: `call_${index}_${n}`,
      parts: [{ kind: 'text', text: result }],
      isError: false,
    }));
    return [
      { role: 'user', parts: asked },
      ...(answer.length > 0 ? [{ role: 'assistant', parts: answer } as const] : []),
      ...(results.length > 0 ? [{ role: 'user', parts: [...results, { kind: 'text', text: 'go on' }] } as const] : []),
    ];
  });

/** Turns as every dialect can tell them: those of one speaker that follow each other are one. */
const turns = fc
  .tuple(fc.option(word), fc.array(exchange, { minLength: 1, maxLength: 3 }))
  .map(([system, exchanges]): Turn[] => {
    const all: Turn[] = system === null ? [] : [{ role: 'system', parts: [{ kind: 'text', text: system }] }];
    for (const turn of exchanges.flat()) {
      const last = all.at(-1);
      if (last?.role === turn.role) all[all.length - 1] = { ...last, parts: [...last.parts, ...turn.parts] };
      else all.push(turn);
    }
    return all.map(({ role, parts }) => ({
      role,
      parts: [...parts.filter(({ kind }) => kind === 'result'), ...parts.filter(({ kind }) => kind !== 'result')],
    }));
  });

const conversation: fc.Arbitrary<Conversation> = fc.record({
  turns,
  tools: fc.constant([
    { name: 'look_up', description: 'Looks up', schema: { type: 'object', properties: {} }, strict: false },
  ]),
  toolChoice: fc.constantFrom('auto' as const, 'required' as const, { name: 'look_up' }),
  parallelCalls: fc.constantFrom(undefined, false as const),
  stream: fc.boolean(),
  outputLimit: fc.integer({ min: 16, max: 9_999 }),
  temperature: fc.constantFrom(undefined, 0, 0.5, 1),
  topP: fc.constantFrom(undefined, 0.9),
  topK: fc.constant(undefined),
  seed: fc.constant(undefined),
  frequencyPenalty: fc.constant(undefined),
  presencePenalty: fc.constant(undefined),
  logprobs: fc.constant(undefined),
  stop: fc.constant([]),
  format: fc.constantFrom(undefined, {
    kind: 'schema' as const,
    name: 'answer',
    description: undefined,
    strict: true,
    schema: { type: 'object', properties: {}, additionalProperties: false },
  }),
  thinking: fc.constant(undefined),
  endUser: fc.constantFrom(undefined, 'u-1'),
});

const REQUEST_WRITERS = { chat: writeChatRequest, responses: writeResponsesRequest, messages: writeMessagesRequest };
const REPLY_WRITERS = { chat: writeChatReply, responses: writeResponsesReply, messages: writeMessagesReply };

describe.each(PAIRS)('a request of %s that goes through %s', (one, other) => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(conversation, (asked) => {
        const body = Buffer.from(JSON.stringify(REQUEST_WRITERS[one](asked, OPTIONS, new Set())));
        const there = translateRequest(one, other, body, OPTIONS);
        const back = translateRequest(other, one, there.body, OPTIONS);
        expect(JSON.parse(back.body.toString())).toEqual(JSON.parse(body.toString()));
        expect([...there.dropped, ...back.dropped]).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

const reply: fc.Arbitrary<Reply> = fc
  .record({
    thought: fc.option(word),
    said: fc.array(word, { maxLength: 5 }),
    calls: fc.array(args, { maxLength: 3 }),
    counts: fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
  })
  .map(({ thought, said, calls, counts: [input, cacheRead, output, reasoning] }) => ({
    id: 'x',
    parts: [
      ...(thought === null ? [] : [{ kind: 'thinking', text: thought, seal: null } as const]),
      ...(said.length === 0 ? [] : [{ kind: 'text', text: said.join('') } as const]),
      ...calls.map((call, n) => ({ kind: 'call', id: `c${n}`, name: 'look_up', args: call }) as const),
    ],
    stop: calls.length > 0 ? 'calls' : 'end',
    stopSequence: null,
    usage: { input, cacheRead, cacheWrite5m: 0, cacheWrite1h: 0, output, reasoning },
  }));

/** The events of a provider that says what is in the reply, word by word. */
function streamOf(provider: ClientFormat, told: Reply): Buffer {
  const whole = REPLY_WRITERS.messages(told, RECALL) as { content: Record<string, unknown>[]; usage: unknown };
  const events: object[] = [{ type: 'message_start', message: { ...whole, content: [] } }];
  whole.content.forEach((block, index) => {
    const [kind, field] =
      block['type'] === 'text'
        ? ['text_delta', 'text']
        : block['type'] === 'thinking'
          ? ['thinking_delta', 'thinking']
          : ['input_json_delta', 'partial_json'];
    const content = block['type'] === 'tool_use' ? JSON.stringify(block['input']) : String(block[field]);
    const start = block['type'] === 'tool_use' ? { ...block, input: {} } : { ...block, [field]: '' };
    events.push({ type: 'content_block_start', index, content_block: start });
    for (const letter of content)
      events.push({ type: 'content_block_delta', index, delta: { type: kind, [field]: letter } });
    events.push({ type: 'content_block_stop', index });
  });
  events.push(
    {
      type: 'message_delta',
      delta: { stop_reason: told.stop === 'calls' ? 'tool_use' : 'end_turn' },
      usage: whole.usage,
    },
    { type: 'message_stop' },
  );
  const messages = Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
  return provider === 'messages' ? messages : run(new StreamTranslator('messages', provider, RECALL), messages);
}

const run = (translator: StreamTranslator, stream: Buffer): Buffer =>
  Buffer.concat([translator.push(stream), translator.flush()]);

/** The whole answer that a stream of responses ends with. */
const wholeOf = (stream: Buffer): unknown => {
  const last = stream.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  return (JSON.parse(last.slice('data: '.length)) as { response: unknown }).response;
};

describe.each(CLIENTS)('an answer of %s', (provider) => {
  it('says the same whole and as a stream, in every dialect', () => {
    fc.assert(
      fc.property(reply, (told) => {
        const stream = streamOf(provider, told);
        // Responses tell at the end of a stream what came of it, so that is what all others are compared by.
        const viaStream = wholeOf(
          provider === 'responses' ? stream : run(new StreamTranslator(provider, 'responses', RECALL), stream),
        ) as { output: Record<string, unknown>[]; usage: unknown };
        const body = Buffer.from(JSON.stringify(REPLY_WRITERS[provider](told, RECALL)));
        const viaWhole = JSON.parse(
          (provider === 'responses' ? body : translateAnswer(provider, 'responses', body, RECALL)).toString(),
        ) as { output: Record<string, unknown>[]; usage: unknown };
        const plain = ({ output, usage }: typeof viaWhole) => ({
          usage,
          output: output.map(({ id: _id, encrypted_content: _seal, ...item }) => item),
        });
        expect(plain(viaStream)).toEqual(plain(viaWhole));
      }),
      { numRuns: 20 },
    );
  });
});
