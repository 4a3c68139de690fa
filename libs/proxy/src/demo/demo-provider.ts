import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newId, type ProviderConfig } from '@app/platform';
import { refusalOf, renderRefusal, type WishesAsked } from './demo-refusal';
import { speechFor, type SpeechAsked } from './demo-speech';

export const DEMO_PROVIDER = 'local';

const CHUNK_PAUSE_MS = 30;

interface Asked extends SpeechAsked, WishesAsked {
  readonly dimensions?: unknown;
  readonly encoding_format?: unknown;
  readonly stream?: unknown;
}

/**
 * An offline provider, so that the whole path can be tried without a key. It speaks every wire over a loopback socket
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
    return new DemoProvider(server, {
      ...{ dialect: 'openai', responses: true, baseUrl, internal: true, timeouts },
      ...{ queueMs: 1, retries: 0, retryMs: 1, breaker: { failures: 0, openMs: 1 } },
    });
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
  const { url = '' } = request;
  const send = (status: number, value: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': newId('demo') });
    response.end(JSON.stringify(value));
  };
  if (url.startsWith('/v1/messages/count_tokens')) return send(200, { input_tokens: inputTokens(body) });
  const refusal = refusalOf(url, asked, inputTokens(body));
  if (refusal !== null) return send(400, renderRefusal(url, refusal));
  if (url.startsWith('/v1/embeddings')) return send(200, embeddings(asked, body));
  const speak = speechFor(url, asked, inputTokens(body));
  if (asked.stream !== true) return send(200, speak.whole());
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
