import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ClientFormat, ProviderFormat } from './format';
import type { Recall } from './reply';
import { StreamTranslator } from './stream-translator';
import { translateAnswer } from './translate-answer';
import { translateRequest, type TranslationOptions } from './translate-request';

const CLIENTS: readonly ClientFormat[] = ['chat', 'responses', 'messages'];
const PROVIDERS: readonly ProviderFormat[] = ['chat', 'responses', 'messages', 'gemini'];

const MODELS: Readonly<Record<ProviderFormat, string>> = {
  chat: 'llama-4',
  responses: 'gpt-5.5',
  messages: 'claude-sonnet-4-5',
  gemini: 'gemini-3-pro',
};

const options = (to: ProviderFormat): TranslationOptions => ({
  model: MODELS[to],
  publicModel: 'public/model',
  outputLimit: 8_000,
  limitAlways: false,
  chatLimit: 'max_tokens',
  systemFirst: true,
  requestId: 'req_1',
  nowMs: 1_700_000_000_000,
});

const RECALL: Recall = {
  model: 'public/model',
  usageAsked: true,
  customTools: new Set(['apply_patch']),
  namespaced: new Map([['get_weather', { namespace: 'sky', name: 'weather' }]]),
  echo: { instructions: 'Be brief.' },
  fallbackId: 'req_1',
  createdSeconds: 1_700_000_000,
};

const pathOf = (kind: string, name: string): string => join(__dirname, 'golden', kind, name);
const golden = (kind: string, name: string): Buffer => readFileSync(pathOf(kind, name));

/** Pairs in which a client's and a provider's dialect differ: same to same is relayed as bytes. */
const PAIRS = CLIENTS.flatMap((client) =>
  PROVIDERS.filter((provider) => provider !== client).map((provider) => [client, provider] as const),
);

/** `UPDATE_GOLDEN=1` writes what came out; look at the difference. */
function expectGolden(kind: string, name: string, actual: string): void {
  if (process.env['UPDATE_GOLDEN']) writeFileSync(pathOf(kind, name), actual);
  const expected = golden(kind, name).toString('utf8');
  if (name.endsWith('.json')) expect(JSON.parse(actual)).toEqual(JSON.parse(expected));
  else expect(actual).toBe(expected);
}

const pretty = (json: Buffer | object): string =>
  `${JSON.stringify(Buffer.isBuffer(json) ? JSON.parse(json.toString('utf8')) : json, null, 2)}\n`;

function translated(client: ClientFormat, provider: ProviderFormat, chunks: readonly Buffer[]): string {
  const translator = new StreamTranslator(provider, client, RECALL);
  return Buffer.concat([...chunks.map((chunk) => translator.push(chunk)), translator.flush()]).toString('utf8');
}

const cutAt = (stream: Buffer, places: readonly number[]): Buffer[] => {
  const sorted = [0, ...[...places].sort((a, b) => a - b), stream.length];
  return sorted.slice(1).map((end, i) => stream.subarray(sorted[i], end));
};

describe.each(PAIRS)('%s to %s', (client, provider) => {
  it('writes the request', () => {
    const body = golden('requests', `agent.${client}.json`);
    const { body: written, dropped } = translateRequest(client, provider, body, options(provider));
    const told = { dropped, body: JSON.parse(written.toString('utf8')) };
    expectGolden('requests', `agent.${client}-to-${provider}.json`, pretty(told));
  });

  it('writes the answer', () => {
    const answer = translateAnswer(provider, client, golden('answers', `agent.${provider}.json`), RECALL);
    expectGolden('answers', `agent.${provider}-to-${client}.json`, pretty(answer));
  });

  const stream = golden('streams', `agent.${provider}.sse`);

  it('writes the stream', () => {
    expectGolden('streams', `agent.${provider}-to-${client}.sse`, translated(client, provider, [stream]));
  });

  it('writes the same stream wherever chunks are cut, and in any legal framing', () => {
    const expected = translated(client, provider, [stream]);
    const text = stream.toString('utf8');
    const variants = [
      text.replaceAll('\n', '\r\n'),
      text.replaceAll('data: ', 'data:'),
      text.replaceAll('data: ', ': keep-alive\n\nretry: 5\ndata: '),
    ].map((variant) => Buffer.from(variant, 'utf8'));
    for (const variant of [stream, ...variants]) {
      fc.assert(
        fc.property(fc.array(fc.nat({ max: variant.length }), { maxLength: 12 }), (places) => {
          expect(translated(client, provider, cutAt(variant, places))).toBe(expected);
        }),
        { numRuns: 10 },
      );
      const bytes = Array.from(variant, (byte) => Buffer.of(byte));
      expect(translated(client, provider, bytes)).toBe(expected);
    }
  });

  it('lets each piece leave with the chunk that completed it', () => {
    const translator = new StreamTranslator(provider, client, RECALL);
    const at = stream.indexOf('first.');
    const end = stream.indexOf('\n\n', at) + 2;
    expect(translator.push(stream.subarray(0, end)).toString('utf8')).toContain('first.');
  });

  it('gives a stream that was cut no last event', () => {
    const last = { chat: '[DONE]', responses: 'response.completed', messages: 'message_stop' }[client];
    const text = stream.toString('utf8');
    expect(translated(client, provider, [stream])).toContain(last);
    const events = text.split('\n\n').slice(0, -1);
    const cut = Buffer.from(`${events.slice(0, -1).join('\n\n')}\n\n`, 'utf8');
    expect(translated(client, provider, [cut])).not.toContain(last);
  });

  it('tells nothing of an error of the provider', () => {
    const error = Buffer.from('data: {"type":"error","error":{"type":"overloaded_error","message":"account 7"}}\n\n');
    const half = stream.subarray(0, stream.indexOf('first.'));
    const written = translated(client, provider, [half.subarray(0, half.lastIndexOf('\n\n') + 2), error, stream]);
    expect(written).not.toMatch(/account|first\./);
  });
});

it('has no golden file without a test', () => {
  for (const [kind, ending] of [
    ['requests', 'json'],
    ['answers', 'json'],
    ['streams', 'sse'],
  ] as const) {
    const sources = kind === 'requests' ? CLIENTS : PROVIDERS;
    const expected = PAIRS.map(([client, provider]) =>
      kind === 'requests' ? `agent.${client}-to-${provider}.${ending}` : `agent.${provider}-to-${client}.${ending}`,
    );
    expect(readdirSync(pathOf(kind, '')).sort()).toEqual(
      [...expected, ...sources.map((name) => `agent.${name}.${ending}`)].sort(),
    );
    expect(expected.every((name) => existsSync(pathOf(kind, name)))).toBe(true);
  }
});
