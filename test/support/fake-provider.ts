import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PROVIDER_KEY } from './fake-provider/account';
import { Answer } from './fake-provider/answer';
import { anthropicDialect } from './fake-provider/anthropic-dialect';
import type { Behaviour, ErrorAnswer, Tokens } from './fake-provider/behaviour';
import type { Dialect } from './fake-provider/dialect';
import { geminiDialect, geminiModelOf } from './fake-provider/gemini-dialect';
import { behaviourOfModel } from './fake-provider/model-name';
import { embeddingsDialect } from './fake-provider/embeddings-dialect';
import { openaiDialect } from './fake-provider/openai-dialect';
import { responsesDialect } from './fake-provider/responses-dialect';
import { NO_TOKENS, type Outcome, ReceivedRequest } from './fake-provider/received-request';

export { ACCOUNT, PROVIDER_KEY } from './fake-provider/account';
export type { Behaviour, ErrorAnswer, Framing, Moment, Tokens } from './fake-provider/behaviour';
export type { Outcome, ReceivedRequest } from './fake-provider/received-request';

export interface FakeProviderOptions {
  /** The key this provider accepts, as `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`; anything else is a 401. */
  readonly apiKey?: string;
  /** A fixed port, to come back where an earlier fake was closed; 0 takes a free one. */
  readonly port?: number;
  /** What GET /v1/models lists. */
  readonly models?: readonly string[];
}

/** The provider's own books, to be compared with the gateway's. Only completion calls are counted. */
export interface Tally extends Readonly<Record<Outcome, number>> {
  readonly calls: number;
  readonly tokens: Tokens;
}

type Matcher = string | RegExp | ((request: ReceivedRequest) => boolean);

interface Script {
  readonly matches: (request: ReceivedRequest) => boolean;
  readonly behaviours: readonly Behaviour[];
  used: number;
}

const WAIT_LIMIT_MS = 60_000;

/**
 * An upstream provider on 127.0.0.1 that speaks the dialects of OpenAI, Anthropic and Google, does what a model's name or a
 * script says, and keeps its own tally. It lives in the test's process, so it survives a gateway that is killed.
 */
export class FakeProvider {
  /** Every request in the order of arrival, the refused ones included. */
  readonly requests: ReceivedRequest[] = [];
  /** Origin without a path, such as `http://127.0.0.1:40123`. */
  readonly url: string;

  private readonly scripts: Script[] = [];
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private fault: Error | undefined;

  private constructor(
    private readonly server: Server,
    readonly apiKey: string,
    private readonly models: readonly string[],
  ) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (message, response) => {
      this.serve(message, response).catch((error: unknown) => {
        this.fault ??= error instanceof Error ? error : new Error(String(error));
        response.destroy();
        this.changes.emit('change');
      });
    });
  }

  static async start(options: FakeProviderOptions = {}): Promise<FakeProvider> {
    // Idle connections stay open until close(), so that no test meets one that was just closed under its request.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, maxHeaderSize: 256 * 1024 });
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeProvider(server, options.apiKey ?? PROVIDER_KEY, options.models ?? ['fake', 'fake-emoji']);
  }

  /**
   * Sets what happens to the requests of a model, or to those that match. Several behaviours are used one per request,
   * the last one for all the rest. The newest script that matches wins over older ones and over the model's name.
   */
  script(match: Matcher, ...behaviours: readonly [Behaviour, ...Behaviour[]]): void {
    this.scripts.unshift({ matches: matcher(match), behaviours, used: 0 });
  }

  /** Sums up the completion calls, or those of them that match. */
  tally(match: Matcher = () => true): Tally {
    const count: Record<Outcome, number> = { open: 0, completed: 0, refused: 0, broken: 0, aborted: 0 };
    const calls = this.requests.filter((request) => isCompletion(request) && matcher(match)(request));
    for (const { outcome } of calls) count[outcome]++;
    return { calls: calls.length, ...count, tokens: calls.map(({ charged }) => charged).reduce(plus, NO_TOKENS) };
  }

  /** Resolves as soon as the predicate holds; it is asked again whenever a request arrives, moves on or ends. */
  async waitFor(predicate: (provider: this) => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(WAIT_LIMIT_MS);
    while (!predicate(this)) {
      this.throwFault();
      await once(this.changes, 'change', { signal: deadline }).catch(() => {
        throw new Error(`waited ${WAIT_LIMIT_MS} ms in vain; the tally is ${JSON.stringify(this.tally())}`);
      });
    }
  }

  /** The first request that matches, now or as soon as there is one. */
  async waitForRequest(match: Matcher = () => true): Promise<ReceivedRequest> {
    const find = (): ReceivedRequest | undefined => this.requests.find(matcher(match));
    await this.waitFor(() => find() !== undefined);
    return find() as ReceivedRequest;
  }

  /**
   * Cuts every connection and refuses new ones. Throws what went wrong inside the fake (a misspelt scenario, a script
   * whose moment never came), for that would else look like a provider's failure.
   */
  async close(): Promise<void> {
    if (this.server.listening) {
      const closed = once(this.server, 'close');
      this.server.close();
      this.server.closeAllConnections();
      await closed;
    }
    this.throwFault();
  }

  private throwFault(): void {
    const { fault } = this;
    this.fault = undefined;
    if (fault !== undefined) throw fault;
  }

  private async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const dialect = dialectOf(message);
    const { body, whole } = await read(message);
    const request = new ReceivedRequest(message, body, dialect.name, () => this.changes.emit('change'));
    this.requests.push(request);
    this.changes.emit('change');
    if (!whole) return request.end('aborted');

    const refusal = this.refusal(request, dialect);
    if (!refusal && isCount(request)) {
      const counted = { input_tokens: countTokens(request) };
      return new Answer(request, response, dialect, {}).sendDocument(counted);
    }
    if (!refusal && request.method === 'GET') {
      return new Answer(request, response, dialect, {}).sendDocument(dialect.models(this.models));
    }
    await new Answer(request, response, dialect, refusal ? { error: refusal } : this.behaviour(request)).play();
  }

  /** What a provider checks before any model sees the request: the key, the route, the required fields. */
  private refusal(request: ReceivedRequest, dialect: Dialect): ErrorAnswer | undefined {
    const { authorization, 'x-api-key': key, 'x-goog-api-key': googleKey } = request.headers;
    const presented = [authorization?.replace(/^Bearer /, ''), key, googleKey].filter((value) => value !== undefined);
    if (presented.length === 0 || presented.some((value) => value !== this.apiKey)) return { status: 401 };
    if (request.method === 'GET' && request.path === '/v1/models') return undefined;
    if (isCount(request)) return undefined;
    if (!isCompletion(request)) return { status: 404, message: `Invalid URL (${request.method} ${request.path})` };
    return dialect.refusal(request.json, request.headers);
  }

  private behaviour(request: ReceivedRequest): Behaviour {
    const script = this.scripts.find(({ matches }) => matches(request));
    if (!script) return behaviourOfModel(request.model);
    const next = script.behaviours[Math.min(script.used++, script.behaviours.length - 1)];
    return next ?? {};
  }
}

/** Both dialects have /v1/models; there, and where no route is known, the version header tells them apart. */
function dialectOf(message: IncomingMessage): Dialect {
  const isAnthropic = message.headers['anthropic-version'] !== undefined || message.url?.startsWith('/v1/messages');
  const named = [embeddingsDialect, responsesDialect, geminiDialect].find((of) =>
    message.url?.startsWith(of.completionPath),
  );
  if (named) return named;
  const isChat = message.url?.startsWith(openaiDialect.completionPath);
  return isAnthropic && !isChat ? anthropicDialect : openaiDialect;
}

const DIALECTS = [openaiDialect, responsesDialect, embeddingsDialect, anthropicDialect];

function isCompletion({ method, path }: ReceivedRequest): boolean {
  const isKnown = DIALECTS.some((of) => path === of.completionPath) || geminiModelOf(path) !== undefined;
  return method === 'POST' && isKnown;
}

const isCount = ({ method, path }: ReceivedRequest): boolean =>
  method === 'POST' && path === `${anthropicDialect.completionPath}/count_tokens`;

/** By the same rule of thumb as the input of a call that names no number. */
const countTokens = ({ body }: ReceivedRequest): number => Math.ceil(body.length / 4);

function matcher(match: Matcher): (request: ReceivedRequest) => boolean {
  if (typeof match === 'function') return match;
  return ({ model }) => (typeof match === 'string' ? model === match : match.test(model));
}

function plus(left: Tokens, right: Tokens): Tokens {
  return {
    input: left.input + right.input,
    output: left.output + right.output,
    cacheRead: left.cacheRead + right.cacheRead,
    cacheWrite5m: left.cacheWrite5m + right.cacheWrite5m,
    cacheWrite1h: left.cacheWrite1h + right.cacheWrite1h,
    reasoning: left.reasoning + right.reasoning,
  };
}

async function read(message: IncomingMessage): Promise<{ body: Buffer; whole: boolean }> {
  const parts: Buffer[] = [];
  try {
    for await (const part of message) parts.push(part as Buffer);
    return { body: Buffer.concat(parts), whole: true };
  } catch {
    // The caller went away in the middle of its upload; what had arrived is evidence all the same.
    return { body: Buffer.concat(parts), whole: false };
  }
}
