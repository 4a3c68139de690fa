import { MAX_LINE_BYTES } from '@app/dialects';
import { type StreamUsage, UsageReader } from './usage-reader';

const usage = '{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}';
const token = (text: string): string =>
  `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}}}]}\n\n`;

function readOpenAi(...chunks: string[]): StreamUsage {
  const reader = new UsageReader('chat');
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  reader.flush();
  return reader.finish();
}

describe('UsageReader', () => {
  it('relays the very chunk it was given', () => {
    const chunk = Buffer.from(token('x'));
    expect(new UsageReader('chat').push(chunk)).toBe(chunk);
    expect(new UsageReader('chat', true).push(chunk)).toBe(chunk);
  });

  it('finds what an answer is behind an event or two that are not of it, and soon gives up', () => {
    const head = 'data: {"id":"chatcmpl-1","model":"m"}\n\n';
    const filters = 'data: {"choices":[],"id":"","model":"","prompt_filter_results":[]}\n\n';
    const headBehind = (before: string): unknown => {
      const reader = new UsageReader('chat', false, true);
      reader.push(Buffer.from(before + head));
      return reader.finish().head;
    };
    expect(headBehind(filters + token('x'))).toEqual({ id: 'chatcmpl-1', model: 'm' });
    expect(headBehind('data: {"id":"a","id":"b"}\n\n')).toEqual({ id: 'chatcmpl-1', model: 'm' });
    expect(headBehind(token('x').repeat(3))).toBeUndefined();
  });

  it('takes zeros for a report only where nothing was written to the end', () => {
    const zeros = '"usage":{"prompt_tokens":0,"completion_tokens":0}';
    const chunk = (content: string): string => `data: {"choices":[{"delta":{"content":"${content}"}}],${zeros}}\n\n`;
    const done = 'data: [DONE]\n\n';
    const missing = { usage: null, final: false, problem: { reason: 'missing', field: 'usage' } };
    expect(readOpenAi(chunk('a'), chunk('b'))).toMatchObject(missing);
    expect(readOpenAi(chunk(''))).toMatchObject(missing);
    expect(readOpenAi(chunk('a'), done)).toMatchObject(missing);
    expect(readOpenAi(chunk(''), done)).toMatchObject({ usage: { counts: { input: 0 } }, final: true, problem: null });
    expect(readOpenAi(chunk('a'), `data: ${usage}\n\n`, done)).toMatchObject({
      ...{ usage: { counts: { input: 3, output: 2 } }, final: true },
    });
  });

  it('reads a usage that stands elsewhere, if the event has none in its place', () => {
    const other = '{"prompt_tokens":9,"completion_tokens":9}';
    const groq = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":${other}}}\n\n`;
    const done = 'data: [DONE]\n\n';
    expect(readOpenAi(groq, done)).toMatchObject({ usage: { counts: { input: 9, output: 9 } }, final: true });
    expect(readOpenAi(groq, `data: ${usage}\n\n`)).toMatchObject({ usage: { counts: { input: 3, output: 2 } } });
    expect(readOpenAi(`data: ${usage}\n\n`, groq, done)).toMatchObject({ usage: { counts: { input: 3 } } });
  });

  it('reads what servers write differently', () => {
    expect(readOpenAi(`: hi\nid: 7\ndata:${usage}\n\n`)).toMatchObject({
      usage: { counts: { input: 3 } },
      final: true,
    });
    const spaced = '{ "choices" : [] , "usage" : { "prompt_tokens": 4, "completion_tokens": 1 } }';
    expect(readOpenAi(`data:  ${spaced}\n\n`)).toMatchObject({ usage: { counts: { input: 4, output: 1 } } });
    expect(readOpenAi('data: {\ndata: "choices":[],\ndata: "usage":{"prompt_tokens":6}\ndata: }\n\n')).toMatchObject({
      ...{ usage: { counts: { input: 6 } }, final: true },
    });
    expect(readOpenAi(`data: ${usage}`)).toMatchObject({ usage: { counts: { input: 3 } } });
    expect(readOpenAi('data: {"object":"error","message":"too long","type":"BadRequestError"}\n\n').error).toEqual({
      ...{ type: 'BadRequestError', message: 'too long' },
    });
    expect(readOpenAi('data: {"error":"gone"}\n\n').error).toEqual({ type: null, message: 'gone' });
    const start = '{ "message":{"usage":{"input_tokens":5,"output_tokens":1}}, "type": "message_start" }';
    const anthropic = new UsageReader('messages');
    anthropic.push(Buffer.from(`data: ${start}\n\ndata: {"index":0, "type": "content_block_delta"}\n\n`));
    expect(anthropic.finish()).toMatchObject({
      usage: { counts: { input: 5, output: 1 } },
      final: false,
      deltas: 1,
      terminal: false,
    });
  });

  it('takes the last of several usages, and does not call one in the middle final', () => {
    const middle = (n: number): string =>
      `data: {"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":3,"completion_tokens":${n}}}\n\n`;
    expect(readOpenAi(middle(1), middle(2))).toMatchObject({
      usage: { counts: { output: 2 } },
      final: false,
      deltas: 2,
    });
    expect(readOpenAi(middle(1), middle(2), 'data: [DONE]\n\n')).toMatchObject({
      usage: { counts: { output: 2 } },
      final: true,
    });
  });

  it('says what is wrong with a usage instead of guessing', () => {
    expect(readOpenAi('data: {"usage":{"prompt_tokens":-3}}\n\n')).toMatchObject({
      ...{ usage: null, final: false, problem: { reason: 'not_a_count', field: 'prompt_tokens' } },
    });
    expect(readOpenAi('data: {"usage":{"prompt_tokens":3]}\n\n').problem).toEqual({
      reason: 'unreadable',
      field: 'usage',
    });
    expect(readOpenAi('')).toMatchObject({ usage: null, problem: { reason: 'missing' }, terminal: false });
  });

  it('counts deltas, not roles, nulls, empty texts or heartbeats', () => {
    const deltas = [
      ...['{}', '{"role":"assistant"}', '{"role":"assistant","content":""}', '{"content":null,"tool_calls":null}'],
      ...[
        '{"content":"a"}',
        '{"role":"assistant","content":"\\""}',
        '{"tool_calls":[{"index":0}]}',
        '{"x":null,"y":"}"}',
      ],
    ];
    const events = deltas.map((delta) => `data: {"choices":[{"index":0,"delta":${delta}}]}\n\n`);
    expect(readOpenAi(...events, ': ping\n\n', 'data: {"choices":[]}\n\n').deltas).toBe(4);
    expect(readOpenAi('data: {"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}\n\n').deltas).toBe(2);
  });

  it('keeps little of an endless line, passes it on, and reads what follows', () => {
    const reader = new UsageReader('chat', true);
    const piece = Buffer.alloc(64 * 1024, 'x');
    let relayed = 0;
    for (let sent = 0; sent <= 2 * MAX_LINE_BYTES; sent += piece.length) relayed += reader.push(piece).length;
    expect(relayed).toBeGreaterThan(2 * MAX_LINE_BYTES);
    expect(reader.finish().problem).toEqual({ reason: 'missing', field: 'usage' });
    reader.push(Buffer.from('\n\n'));
    expect(reader.finish().problem).toEqual({ reason: 'too_large', field: 'event' });
    expect(reader.push(Buffer.from(`data: ${usage}\n\n`)).length).toBe(0);
    expect(reader.finish()).toMatchObject({ usage: { counts: { input: 3 } }, problem: null });
  });
});

describe('hiding the usage event', () => {
  it('holds back only a line that may be that event', () => {
    const reader = new UsageReader('chat', true);
    const push = (text: string): string => reader.push(Buffer.from(text)).toString();
    expect(push(`${token('a')}data: {"id":1,"cho`)).toBe(token('a'));
    expect(push('ices":[{"delta":{"content":"b')).toBe('data: {"id":1,"choices":[{"delta":{"content":"b');
    expect(push('c"}}]}\n')).toBe('c"}}]}\n');
    expect(push('\n: comment')).toBe('\n: comment');
    expect(push(`\nda`)).toBe('\n');
    expect(push(`ta: ${usage.slice(0, 40)}`)).toBe('');
    expect(push(`${usage.slice(40)}\n`)).toBe('');
    expect(push('\ndata: [DONE]\n\n')).toBe('data: [DONE]\n\n');
    expect(reader.finish()).toMatchObject({ usage: { counts: { input: 3 } }, deltas: 2, terminal: true });
  });

  it('gives back at the end what it held, unless that is the event', () => {
    const held = new UsageReader('chat', true);
    expect(held.push(Buffer.from('data: {"id"')).length).toBe(0);
    expect(held.flush().toString()).toBe('data: {"id"');
    const hidden = new UsageReader('chat', true);
    hidden.push(Buffer.from(`data: ${usage}`));
    expect(hidden.flush().length).toBe(0);
    expect(hidden.finish()).toMatchObject({ usage: { counts: { input: 3 } }, final: true });
  });

  it('leaves a usage that comes together with a choice', () => {
    const event = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}\n\n';
    expect(new UsageReader('chat', true).push(Buffer.from(event)).toString()).toBe(event);
  });

  it('does not hold back a line that is too long to be the event', () => {
    const reader = new UsageReader('chat', true);
    const long = `data: {"x":"${'y'.repeat(20_000)}`;
    expect(reader.push(Buffer.from(long)).toString()).toBe(long);
    expect(reader.push(Buffer.from('z"}\n\n')).toString()).toBe('z"}\n\n');
  });
});
