import {
  egressOf,
  outboundConnector,
  sameEgress,
  type Egress,
  type GatewayConfig,
  type ProviderConfig,
} from '@app/platform';
import { Pool } from 'undici';
import { Breaker } from './breaker';
import { Credential } from './credential';
import { KeyRing } from './key-ring';
import type { ProviderLog } from './provider-log';
import { ProviderPath } from './provider-path';
import { Turnstile } from './turnstile';

/**
 * How long a connection may idle before we close it, unless the server says otherwise. A request on a connection that
 * the server closes at that moment is lost: it must not be sent again, because the server may have taken it, and is
 * booked as unconfirmed. So we close first. Inference servers close after 5 s (uvicorn) and do not say so; the edges of
 * the public APIs keep connections for minutes, and a new one to them costs two or three round trips.
 */
const INTERNAL_IDLE_MS = 4_000;
const EDGE_IDLE_MS = 30_000;

/** The connections to one provider, and what is known of it: which of its keys are good, whether it fails, how much it has to do. */
export class Line {
  readonly pool: Pool;
  readonly breaker: Breaker;
  /** Null where nothing limits how many calls it gets. */
  turnstile: Turnstile | null;
  keys: KeyRing;
  /** Attempts that took the place of others that had failed here. */
  retried = 0;
  /** Why it failed last; for administrators, so without keys. */
  lastFault: string | null = null;
  #path: ProviderPath;

  constructor(
    public provider: ProviderConfig,
    private readonly egress: Egress,
    readonly log: ProviderLog,
  ) {
    this.pool = new Pool(new URL(provider.baseUrl).origin, {
      connections: null,
      pipelining: 1,
      connect: outboundConnector(egress),
      keepAliveTimeout: provider.internal ? INTERNAL_IDLE_MS : EDGE_IDLE_MS,
    });
    this.breaker = new Breaker(provider.breaker);
    this.turnstile = turnstileOf(provider);
    this.keys = keysOf(provider);
    this.#path = new ProviderPath(provider);
  }

  static to(provider: ProviderConfig, { egress }: Pick<GatewayConfig, 'egress'>, log: ProviderLog): Line {
    return new Line(provider, egressTo(provider, egress), log);
  }

  pathOf(path: string, model: string): string {
    return this.#path.of(path, model);
  }

  /** Takes changed settings; false where they need other connections. */
  follow(provider: ProviderConfig, { egress }: Pick<GatewayConfig, 'egress'>): boolean {
    if (provider.baseUrl !== this.provider.baseUrl || !sameEgress(egressTo(provider, egress), this.egress))
      return false;
    this.provider = provider;
    this.breaker.rules = provider.breaker;
    this.keys = keysOf(provider);
    this.log.forgetKeys();
    this.#path = new ProviderPath(provider);
    const { maxConcurrent, queueMs } = provider;
    // Calls inside an old turnstile leave that one: it is kept while there is a limit.
    if (this.turnstile && maxConcurrent !== undefined)
      this.turnstile.follow({ limit: maxConcurrent, patienceMs: queueMs });
    else {
      this.turnstile?.follow({ limit: Infinity, patienceMs: queueMs });
      this.turnstile = turnstileOf(provider);
    }
    return true;
  }
}

const egressTo = (provider: ProviderConfig, general: GatewayConfig['egress']): Egress =>
  egressOf(provider, general, provider.timeouts.connectMs);

const turnstileOf = ({ maxConcurrent, queueMs }: ProviderConfig): Turnstile | null =>
  maxConcurrent === undefined ? null : new Turnstile({ limit: maxConcurrent, patienceMs: queueMs });

const KEY_HEADERS = { openai: 'authorization', anthropic: 'x-api-key', gemini: 'x-goog-api-key' } as const;

function keysOf({ apiKey, apiKeys = [], dialect, azure }: ProviderConfig): KeyRing {
  const header = azure ? 'api-key' : KEY_HEADERS[dialect];
  return new KeyRing([...(apiKey ? [apiKey] : []), ...apiKeys].map((key) => new Credential(key, header)));
}
