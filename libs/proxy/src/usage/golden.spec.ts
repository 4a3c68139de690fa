import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { NO_TOKENS } from '@app/billing';
import type { AnswerHead } from './answer-head';
import type { TokenCounts, Usage } from './token-counts';
import { type StreamUsage, UsageReader } from './usage-reader';
import { readWholeUsage } from './whole-usage';
import type { ProviderWire } from '../wire';

const GOLDEN = join(__dirname, 'golden');
const golden = (name: string): Buffer => readFileSync(join(GOLDEN, name));
const WIRE_OF: Readonly<Record<string, ProviderWire>> = { openai: 'chat', anthropic: 'messages' };
const wireOf = (name: string): ProviderWire => {
  const [family = ''] = name.split('-', 1);
  return WIRE_OF[family] ?? (family as ProviderWire);
};

const FAILED = 'responses-failed.json';

/** Counts that are not 0, and what else is billed. */
type Expected = Partial<TokenCounts> & Partial<Omit<Usage, 'counts'>>;

const usageOf = ({ webSearches = 0, serviceTier = null, ...counts }: Expected): Usage => ({
  counts: { ...NO_TOKENS, ...counts },
  webSearches,
  serviceTier,
});

const ANSWERS: Record<string, [Expected, string]> = {
  'openai-plain.json': [{ input: 19, output: 10 }, 'stop'],
  'openai-cached-reasoning.json': [{ input: 86, cacheRead: 1920, output: 44, reasoning: 256 }, 'stop'],
  'openai-cache-write.json': [{ input: 200, cacheRead: 2000, cacheWrite5m: 400, output: 80 }, 'length'],
  'openai-tool-calls.json': [{ input: 82, output: 17 }, 'tool_calls'],
  'openai-audio.json': [{ input: 30, audioInput: 120, output: 20, audioOutput: 260 }, 'stop'],
  'openai-predicted.json': [{ input: 40, output: 60, serviceTier: 'flex' }, 'stop'],
  'openai-llama-timings.json': [{ input: 12, cacheRead: 30, output: 9 }, 'stop'],
  'openai-refusal.json': [{ input: 30, output: 12 }, 'stop'],
  'openai-thoughts-in-total.json': [{ input: 20, output: 198, reasoning: 405 }, 'stop'],
  'openai-cache-hit.json': [{ input: 20, cacheRead: 80, output: 50 }, 'stop'],
  'openai-cache-top-level.json': [{ input: 108, cacheRead: 1792, output: 21 }, 'stop'],
  'openai-cache-creation.json': [{ input: 7, cacheRead: 20, cacheWrite5m: 5004, output: 4 }, 'stop'],
  'responses-plain.json': [{ input: 36, output: 87 }, 'completed'],
  'responses-cached-reasoning.json': [
    { input: 86, cacheRead: 1920, output: 44, reasoning: 256, serviceTier: 'flex' },
    'completed',
  ],
  'responses-tool-call.json': [{ input: 291, output: 23 }, 'completed'],
  'responses-search.json': [{ input: 5120, cacheRead: 4000, output: 282, reasoning: 128, webSearches: 2 }, 'completed'],
  'responses-incomplete.json': [{ input: 12, output: 16 }, 'max_output_tokens'],
  'gemini-plain.json': [{ input: 15, output: 6 }, 'STOP'],
  'gemini-thinking-cached.json': [{ input: 340, cacheRead: 1800, output: 30, reasoning: 210 }, 'MAX_TOKENS'],
  'gemini-audio.json': [{ input: 30, audioInput: 120, output: 3 }, 'STOP'],
  'anthropic-plain.json': [{ input: 2095, output: 503 }, 'end_turn'],
  'anthropic-cached.json': [
    { input: 50, cacheRead: 1800, cacheWrite5m: 456, cacheWrite1h: 100, output: 503 },
    'end_turn',
  ],
  'anthropic-cached-unsplit.json': [{ input: 50, cacheRead: 1800, cacheWrite5m: 248, output: 3 }, 'max_tokens'],
  'anthropic-thinking.json': [{ input: 40, output: 90, reasoning: 210 }, 'end_turn'],
  'anthropic-tool-use.json': [{ input: 472, output: 89 }, 'tool_use'],
  'anthropic-search.json': [{ input: 6039, output: 931, webSearches: 2 }, 'end_turn'],
  'anthropic-fast.json': [{ input: 20, output: 5, serviceTier: 'fast' }, 'end_turn'],
  'anthropic-refusal.json': [{ input: 310, output: 4 }, 'refusal'],
};

const ended = (some: Expected, deltas: number, stopReason: string): StreamUsage => ({
  ...{ usage: usageOf(some), final: true, deltas, terminal: true, stopReason, error: null, problem: null },
});

/** The error of a response, with the event that told it. */
const failed = (type: string, message: string, event: string): StreamUsage['error'] => ({
  ...{ type, message },
  event: expect.objectContaining({ type: event }) as Record<string, unknown>,
});

const STREAMS: Record<string, StreamUsage> = {
  'openai-stream.sse': ended({ input: 25, output: 11 }, 3, 'stop'),
  'openai-stream-tools.sse': ended({ input: 18, cacheRead: 64, output: 17 }, 2, 'tool_calls'),
  'openai-stream-reasoning.sse': ended({ input: 176, cacheRead: 1024, output: 10, reasoning: 80 }, 3, 'stop'),
  'openai-stream-usage-in-last-choice.sse': ended({ input: 7, output: 1 }, 1, 'stop'),
  'openai-stream-no-usage.sse': {
    ...{ usage: null, final: false, deltas: 1, terminal: true, stopReason: 'stop', error: null },
    problem: { reason: 'missing', field: 'usage' },
  },
  'openai-stream-every-chunk.sse': ended({ input: 7, output: 3 }, 3, 'stop'),
  'openai-stream-usage-in-choice.sse': ended({ input: 13, cacheRead: 6, output: 13 }, 1, 'stop'),
  'openai-stream-zeros.sse': {
    ...{ usage: null, final: false, deltas: 2, terminal: true, stopReason: 'stop', error: null },
    problem: { reason: 'missing', field: 'usage' },
  },
  'openai-stream-prompt-only.sse': { ...ended({ input: 7 }, 2, 'stop'), final: false },
  'openai-stream-tier.sse': ended({ input: 9, output: 2, serviceTier: 'priority' }, 2, 'stop'),
  'openai-stream-llama.sse': ended({ input: 11, output: 2 }, 2, 'stop'),
  'openai-stream-error.sse': {
    ...{ usage: null, final: false, deltas: 1, terminal: false, stopReason: null },
    error: { type: 'server_error', message: 'The server had an error while processing your request.' },
    problem: { reason: 'missing', field: 'usage' },
  },
  'gemini-stream.sse': ended({ input: 30, cacheRead: 60, output: 24, reasoning: 10 }, 3, 'STOP'),
  'gemini-stream-blocked.sse': ended({ input: 7 }, 0, 'PROHIBITED_CONTENT'),
  'gemini-stream-error.sse': {
    ...{ usage: usageOf({ input: 90, output: 1 }), final: false, deltas: 1, terminal: false, stopReason: null },
    error: { type: 'UNAVAILABLE', message: 'The model is overloaded.' },
    problem: null,
  },
  'responses-stream.sse': ended({ input: 37, output: 11 }, 3, 'completed'),
  'responses-stream-tools.sse': ended({ input: 176, cacheRead: 1024, output: 26, reasoning: 64 }, 4, 'completed'),
  'responses-stream-incomplete.sse': ended({ input: 12, output: 16 }, 2, 'max_output_tokens'),
  'responses-stream-search.sse': ended(
    { input: 5200, output: 60, webSearches: 1, serviceTier: 'priority' },
    2,
    'completed',
  ),
  'responses-stream-sorted.sse': ended({ input: 9, output: 2 }, 2, 'completed'),
  'responses-stream-failed.sse': {
    ...{ usage: null, final: false, deltas: 1, terminal: false, stopReason: null },
    error: failed('rate_limit_exceeded', 'Rate limit reached in organization org-acme.', 'response.failed'),
    problem: { reason: 'missing', field: 'usage' },
  },
  'responses-stream-failed-usage.sse': {
    ...{ usage: usageOf({ input: 37, output: 5 }), final: true, deltas: 1, terminal: false, stopReason: null },
    error: failed('server_error', 'Sorry, org-acme.', 'response.failed'),
    problem: null,
  },
  'responses-stream-error.sse': {
    ...{ usage: null, final: false, deltas: 1, terminal: false, stopReason: null },
    error: failed('server_error', 'The server had an error for organization org-acme.', 'error'),
    problem: { reason: 'missing', field: 'usage' },
  },
  'anthropic-stream.sse': ended({ input: 25, output: 15 }, 3, 'end_turn'),
  'anthropic-stream-tools.sse': ended({ input: 472, output: 89 }, 3, 'tool_use'),
  'anthropic-stream-thinking-cached.sse': ended(
    { input: 12, cacheRead: 30000, cacheWrite1h: 900, output: 20, reasoning: 100 },
    3,
    'end_turn',
  ),
  'anthropic-stream-refusal.sse': ended({ input: 310, output: 4 }, 0, 'refusal'),
  'anthropic-stream-search.sse': ended({ input: 10682, output: 510, webSearches: 1 }, 1, 'end_turn'),
  'anthropic-stream-search-cached.sse': ended(
    { input: 651, cacheRead: 2100, cacheWrite5m: 7345, output: 310, webSearches: 1 },
    1,
    'end_turn',
  ),
  'anthropic-stream-no-count.sse': { ...ended({ input: 25, output: 1 }, 3, 'end_turn'), final: false },
  'anthropic-stream-error.sse': {
    ...{ usage: usageOf({ input: 25, output: 1 }), final: false, deltas: 1, terminal: false, stopReason: null },
    error: { type: 'overloaded_error', message: 'Overloaded' },
    problem: null,
  },
};

/** The same stream with every line ending in CR LF. */
const withCrlf = (stream: Buffer): Buffer => Buffer.from(stream.toString('utf8').replaceAll('\n', '\r\n'));

/** The stream as a client must see it that did not ask for the usage: without that event, else byte for byte. */
const withoutUsage = (stream: string): string =>
  stream.replace(/data: [^\n]*"choices":\[\],"usage":\{[^\n]*\n\r?\n/, '');

/** The stream up to the provider's error, whose words no client gets to see. */
const untilError = (stream: Buffer): string =>
  stream.toString('utf8').replace(/^data: ?\{("type":"(error|response.failed)"|"error").*/ms, '');

/** The first id and the first model that stand anywhere. */
function headIn(text: Buffer): AnswerHead {
  const [id, model] = [/"(?:id|responseId)": ?"([^"]+)"/, /"(?:model|modelVersion)": ?"([^"]+)"/].map(
    (member) => member.exec(text.toString('utf8'))?.[1] ?? null,
  );
  return { id: id as string, model: model as string };
}

function relay(
  name: string,
  chunks: readonly Buffer[],
  hide = false,
  wantsHead = false,
): { usage: StreamUsage; relayed: string } {
  const reader = new UsageReader(wireOf(name), hide, wantsHead);
  const out: Buffer[] = chunks.map((chunk) => reader.push(chunk));
  out.push(reader.flush());
  return { usage: reader.finish(), relayed: Buffer.concat(out).toString('utf8') };
}

function cutAt(stream: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...[...places].sort((a, b) => a - b), stream.length];
  return sorted.slice(1).map((end, i) => stream.subarray(sorted[i], end));
}

it('has an expectation for every golden file', () => {
  expect(readdirSync(GOLDEN).sort()).toEqual([...Object.keys(ANSWERS), ...Object.keys(STREAMS), FAILED].sort());
});

test('a response that failed says where its error stands', () => {
  const body = golden(FAILED);
  const { failure, usage, stopReason } = readWholeUsage('responses', body);
  expect([usage, stopReason]).toEqual([null, 'failed']);
  expect(failure).toMatchObject({ code: 'server_error', message: expect.stringContaining('org-acme') });
  expect(JSON.parse(body.toString('utf8', failure?.start, failure?.end))).toHaveProperty('message');
});

describe.each(Object.entries(ANSWERS))('%s', (name, [expected, stopReason]) => {
  it('is read as it is billed', () => {
    expect(readWholeUsage(wireOf(name), golden(name))).toEqual({
      usage: usageOf(expected),
      stopReason,
      problem: null,
      ...{ failure: null, head: null },
    });
  });

  it('says what it is, if it is asked', () => {
    const { head, ...billed } = readWholeUsage(wireOf(name), golden(name), true);
    expect(head).toEqual(headIn(golden(name)));
    expect(billed).toEqual({ usage: usageOf(expected), stopReason, problem: null, failure: null });
  });
});

describe.each(Object.entries(STREAMS))('%s', (name, expected) => {
  const stream = golden(name);

  it('is read whole, byte by byte and with CRLF', () => {
    expect(relay(name, [stream])).toEqual({ usage: expected, relayed: untilError(stream) });
    const bytes = Array.from(stream, (byte) => Buffer.of(byte));
    expect(relay(name, bytes)).toEqual({ usage: expected, relayed: untilError(stream) });
    expect(relay(name, [withCrlf(stream)]).usage).toEqual(expected);
    expect(relay(name, [Buffer.from(stream.toString('utf8').replaceAll('data: ', 'data:'))]).usage).toEqual(expected);
  });

  it('says what it is, if it is asked', () => {
    const bytes = Array.from(stream, (byte) => Buffer.of(byte));
    const usage = { ...expected, head: headIn(stream) };
    for (const chunks of [[stream], bytes]) {
      expect(relay(name, chunks, false, true)).toEqual({ usage, relayed: untilError(stream) });
      expect(relay(name, chunks)).toEqual({ usage: expected, relayed: untilError(stream) });
    }
  });

  it('loses its usage event and nothing else, wherever chunks are cut', () => {
    for (const variant of [stream, withCrlf(stream)]) {
      const seen = untilError(variant);
      const expectedBytes = wireOf(name) === 'chat' ? withoutUsage(seen) : seen;
      fc.assert(
        fc.property(fc.array(fc.nat({ max: variant.length }), { maxLength: 12 }), (places) => {
          expect(relay(name, cutAt(variant, places), true)).toEqual({ usage: expected, relayed: expectedBytes });
          expect(relay(name, cutAt(variant, places)).relayed).toBe(seen);
        }),
      );
      expect(
        relay(
          name,
          Array.from(variant, (byte) => Buffer.of(byte)),
          true,
        ).relayed,
      ).toBe(expectedBytes);
    }
  });
});
