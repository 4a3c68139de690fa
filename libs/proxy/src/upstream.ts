import { CodedError, type Config, type GatewayConfig, type ProviderConfig } from '@app/platform';
import type { Hold } from '@app/quota';
import { Pool, type Dispatcher } from 'undici';
import { DEMO_PROVIDER, type DemoProvider } from './demo-provider';

/**
 * How long a connection may idle before we close it, unless the server says otherwise. A request on a connection that
 * the server closes at that moment is lost: it must not be sent again, because the server may have taken it, and is
 * booked as unconfirmed. So we close first. Inference servers close after 5 s (uvicorn) and do not say so; the edges of
 * the public APIs keep connections for minutes, and a new one to them costs two or three round trips.
 */
const INTERNAL_IDLE_MS = 4_000;
const EDGE_IDLE_MS = 30_000;

/** A caller waits for this before it is refused, so it is short. */
const COUNT_PATIENCE_MS = 2_000;

interface Line {
  readonly provider: ProviderConfig;
  readonly pool: Pool;
  /** Path of the base URL without `/v1`, which the routes bring along. */
  readonly prefix: string;
}

export interface UpstreamRequest {
  readonly provider: string;
  /** Path and query as the client sent them. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/**
 * The only door to a provider: addresses come from the configuration, and nothing is opened without a hold.
 * Connections are kept per provider; a reloaded configuration replaces those it changed and lets their calls finish. The
 * built-in demonstration is one provider among the others.
 */
export class Upstream {
  #lines = new Map<string, Line>();

  constructor(
    config: Config,
    private readonly demo: DemoProvider,
  ) {
    this.configure(config.current);
    config.onReload((next) => this.configure(next));
  }

  provider(name: string): ProviderConfig | undefined {
    return this.#lines.get(name)?.provider;
  }

  get names(): string[] {
    return [...this.#lines.keys()];
  }

  /** Sends the request; all that happens next is told to `handler`. @throws CodedError `provider_disabled` */
  open(hold: Hold, request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void {
    const line = this.#lines.get(request.provider);
    if (!line || hold.closed)
      throw line ? new TypeError('a provider is opened with an open hold') : new CodedError('provider_disabled');
    const { firstByteMs, idleMs } = line.provider.timeouts;
    line.pool.dispatch(
      {
        path: line.prefix + request.path,
        method: 'POST',
        headers: request.headers,
        body: request.body,
        headersTimeout: firstByteMs,
        bodyTimeout: idleMs,
      },
      handler,
    );
  }

  /**
   * Asks an Anthropic provider how many tokens a prompt has. That is free, so it is the one thing asked without a hold.
   * @throws Error if there is no answer, in time, of the status 200, that is a JSON object
   */
  async countTokens(
    provider: string,
    headers: Record<string, string>,
    body: Buffer,
  ): Promise<Readonly<Record<string, unknown>>> {
    const line = this.#lines.get(provider);
    if (!line) throw new CodedError('provider_disabled');
    const answer = await line.pool.request({
      path: `${line.prefix}/v1/messages/count_tokens`,
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(COUNT_PATIENCE_MS),
    });
    const told: unknown = await answer.body.json();
    if (answer.statusCode !== 200 || typeof told !== 'object' || told === null) throw new Error('not counted');
    return { ...told };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lines.values()].map(({ pool }) => pool.destroy()));
    await this.demo.stop();
  }

  private configure(config: GatewayConfig): void {
    const next = new Map<string, Line>();
    for (const [name, provider] of [...Object.entries(config.providers), [DEMO_PROVIDER, this.demo.config] as const]) {
      const old = this.#lines.get(name);
      next.set(name, old && sameConnection(old.provider, provider) ? { ...old, provider } : connect(provider));
    }
    for (const [name, line] of this.#lines) if (next.get(name)?.pool !== line.pool) void line.pool.close();
    this.#lines = next;
  }
}

const sameConnection = (a: ProviderConfig, b: ProviderConfig): boolean =>
  a.baseUrl === b.baseUrl && a.internal === b.internal && a.timeouts.connectMs === b.timeouts.connectMs;

function connect(provider: ProviderConfig): Line {
  const { origin, pathname } = new URL(provider.baseUrl);
  const pool = new Pool(origin, {
    connections: null,
    pipelining: 1,
    connect: { timeout: provider.timeouts.connectMs },
    keepAliveTimeout: provider.internal ? INTERNAL_IDLE_MS : EDGE_IDLE_MS,
  });
  return { provider, pool, prefix: pathname.replace(/\/(v1\/?)?$/, '') };
}
