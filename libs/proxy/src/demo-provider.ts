import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newId, type ProviderConfig } from '@app/platform';

export const DEMO_PROVIDER = 'local';

const CHUNK_PAUSE_MS = 30;
const ANSWER =
  'This is local/demo, the built-in demonstration of OpenClawMU. No language model stands behind it: the answer is always the same. ' +
  'But everything around it is real. Your token was checked, the worst case of this request was held against the budget, ' +
  'these words were streamed and counted, and the cost is in the ledger by the time you read the last one. ' +
  'Ask your administrator to configure a provider for real answers.';

interface Asked {
  readonly input?: unknown;
  readonly dimensions?: unknown;
  readonly encoding_format?: unknown;
  readonly stream?: unknown;
  readonly max_tokens?: unknown;
  readonly max_completion_tokens?: unknown;
  readonly stream_options?: { include_usage?: unknown } | null;
}

/**
 * An offline provider, so that the whole path can be tried without a key. It speaks both dialects over a loopback socket
 * like any other provider, counts a word as a token, and says what it is.
 */
export class DemoProvider {
  private constructor(
    private readonly server: Server,
    readonly config: ProviderConfig,
  ) {}

  static async start(): Promise<DemoProvider> {
    // Whoever hangs up in the middle of an upload, or sends what is no request, gets no answer.
    const server = createServer((request, response) => {
      answer(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    server.unref();
    const timeouts = { connectMs: 5_000, firstByteMs: 30_000, idleMs: 30_000 };
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new DemoProvider(server, { dialect: 'openai', baseUrl, apiKey: undefined, internal: true, timeouts });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const asked = JSON.parse(body.toString('utf8')) as Asked;
  if (request.url?.startsWith('/v1/embeddings')) {
    response.writeHead(200, { 'content-type': 'application/json', 'request-id': newId('demo') });
    response.end(JSON.stringify(embeddings(asked, body)));
    return;
  }
  const limit = Number(asked.max_completion_tokens ?? asked.max_tokens ?? Infinity);
  const words = ANSWER.split(/(?<= )/).slice(0, limit);
  const speak = request.url?.startsWith('/v1/messages')
    ? new AnthropicSpeech(words, body)
    : new OpenAiSpeech(words, body, asked);
  if (asked.stream !== true) {
    response
      .writeHead(200, { 'content-type': 'application/json', 'request-id': newId('demo') })
      .end(JSON.stringify(speak.whole()));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': newId('demo') });
  for (const event of speak.events()) {
    if (response.destroyed) return;
    response.write(event);
    await new Promise((later) => setTimeout(later, CHUNK_PAUSE_MS));
  }
  response.end();
}

const inputTokens = (body: Buffer): number => body.toString('utf8').split(/\s+/).length;

/** A vector of length 1 for each text. It says nothing of what a text means, only whether two texts are the same. */
function embeddings({ input, dimensions, encoding_format: format }: Asked, body: Buffer): object {
  const isOne = !Array.isArray(input) || typeof input[0] === 'number';
  const texts: readonly unknown[] = isOne ? [input] : input;
  const size = typeof dimensions === 'number' && dimensions > 0 ? Math.min(dimensions, MOST_DIMENSIONS) : 8;
  const data = texts.map((text, index) => {
    const vector = vectorOf(JSON.stringify(text), size);
    const embedding = format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
    return { object: 'embedding', index, embedding };
  });
  const tokens = inputTokens(body);
  return { object: 'list', data, model: 'demo', usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

const MOST_DIMENSIONS = 3_072;

function vectorOf(text: string, size: number): Float32Array {
  const bytes = createHash('shake256', { outputLength: size }).update(text).digest();
  const length = Math.hypot(...[...bytes].map((byte) => byte - 127.5));
  return Float32Array.from(bytes, (byte) => (byte - 127.5) / length);
}

class OpenAiSpeech {
  private readonly id = newId('chatcmpl');
  private readonly created = Math.floor(Date.now() / 1000);

  constructor(
    private readonly words: readonly string[],
    private readonly body: Buffer,
    private readonly asked: Asked,
  ) {}

  whole(): unknown {
    const message = { role: 'assistant', content: this.words.join('').trimEnd(), refusal: null };
    return {
      ...this.head('chat.completion'),
      choices: [{ index: 0, message, logprobs: null, finish_reason: this.reason }],
      usage: this.usage(),
    };
  }

  *events(): Generator<string> {
    yield this.chunk({ role: 'assistant', content: '' }, null);
    for (const word of this.words) yield this.chunk({ content: word }, null);
    yield this.chunk({}, this.reason);
    if (this.asked.stream_options?.include_usage === true)
      yield data({ ...this.head('chat.completion.chunk'), choices: [], usage: this.usage() });
    yield 'data: [DONE]\n\n';
  }

  private get reason(): string {
    return this.words.join('') === ANSWER ? 'stop' : 'length';
  }

  private head(object: string): object {
    return { id: this.id, object, created: this.created, model: 'demo' };
  }

  private chunk(delta: object, finish: string | null): string {
    return data({ ...this.head('chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason: finish }] });
  }

  private usage(): object {
    const [prompt, completion] = [inputTokens(this.body), this.words.length];
    return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  }
}

class AnthropicSpeech {
  private readonly id = newId('msg');

  constructor(
    private readonly words: readonly string[],
    private readonly body: Buffer,
  ) {}

  whole(): unknown {
    const content = [{ type: 'text', text: this.words.join('').trimEnd() }];
    return {
      ...this.head(),
      content,
      stop_reason: this.reason,
      usage: { input_tokens: inputTokens(this.body), output_tokens: this.words.length },
    };
  }

  *events(): Generator<string> {
    yield named({
      type: 'message_start',
      message: {
        ...this.head(),
        content: [],
        stop_reason: null,
        usage: { input_tokens: inputTokens(this.body), output_tokens: 1 },
      },
    });
    yield named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
    for (const text of this.words)
      yield named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
    yield named({ type: 'content_block_stop', index: 0 });
    yield named({
      type: 'message_delta',
      delta: { stop_reason: this.reason, stop_sequence: null },
      usage: { output_tokens: this.words.length },
    });
    yield named({ type: 'message_stop' });
  }

  private get reason(): string {
    return this.words.join('') === ANSWER ? 'end_turn' : 'max_tokens';
  }

  private head(): object {
    return { id: this.id, type: 'message', role: 'assistant', model: 'demo', stop_sequence: null };
  }
}

const data = (event: object): string => `data: ${JSON.stringify(event)}\n\n`;
const named = (event: { type: string; [field: string]: unknown }): string => `event: ${event.type}\n${data(event)}`;
