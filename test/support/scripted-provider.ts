import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Play = (response: ServerResponse, asked: Asked) => void;

const JSON_TYPE = { 'content-type': 'application/json' };
const SSE = { 'content-type': 'text/event-stream' };
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

/** Answers with what a healthy provider would, plus some headers or members. */
export const whole =
  (headers: Record<string, string> = {}, members: object = {}): Play =>
  (response) =>
    response
      .writeHead(200, { ...JSON_TYPE, ...headers })
      .end(JSON.stringify({ choices: [], usage: USAGE, ...members }));

export const failing =
  (status: number, headers: Record<string, string> = {}, members: object = {}): Play =>
  (response) =>
    response
      .writeHead(status, { ...JSON_TYPE, ...headers })
      .end(JSON.stringify({ error: { message: `failed with ${status}` }, ...members }));

export const event = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;

/** A whole stream of some pieces. */
export const streaming =
  (...pieces: readonly string[]): Play =>
  (response) => {
    response.writeHead(200, SSE);
    for (const piece of pieces) response.write(event(piece));
    response.end(`data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`);
  };

/** Takes the request and hangs up. */
export const hangingUp: Play = (response) => void response.destroy();

/** A few pieces, then a torn connection. */
export const breakingOff =
  (...pieces: readonly string[]): Play =>
  (response) => {
    response.writeHead(200, SSE);
    response.write(pieces.map(event).join(''), () => setTimeout(() => response.destroy(), 20));
  };

export const silent: Play = () => undefined;

/** A provider on 127.0.0.1 that plays one script after the other, the last of them for all the rest, and notes what it was asked. */
export class ScriptedProvider {
  readonly asked: Asked[] = [];
  #plays: Play[] = [whole()];

  private constructor(
    private readonly server: Server,
    private readonly protocol: 'http' | 'https',
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      request.on('error', () => undefined);
      request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
      request.once('end', () => {
        const asked = { path: request.url ?? '', headers: request.headers, body };
        this.asked.push(asked);
        const play = this.#plays.length > 1 ? this.#plays.shift() : this.#plays[0];
        play?.(response, asked);
      });
    });
  }

  /** @param make a TLS server, where that is wanted */
  static async start(make?: (options: { keepAliveTimeout: 0 }) => Server): Promise<ScriptedProvider> {
    const options = { keepAliveTimeout: 0 } as const;
    const server = make ? make(options) : createServer(options);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new ScriptedProvider(server, make ? 'https' : 'http');
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.protocol}://127.0.0.1:${this.port}`;
  }

  /** Forgets what it was asked, and plays these from now on. */
  play(...plays: readonly [Play, ...Play[]]): void {
    this.asked.length = 0;
    this.#plays = [...plays];
  }

  /** The names of the models it was asked for. */
  get models(): unknown[] {
    return this.asked.map(({ body }) => (JSON.parse(body) as { model: unknown }).model);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}

/** A port of this machine on which nobody listens. */
export async function deadPort(): Promise<number> {
  const server = createServer(undefined as unknown as RequestListener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
