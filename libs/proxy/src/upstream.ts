import { CodedError, type Config, type GatewayConfig, type Log, type ProviderConfig } from '@app/platform';
import { resting } from './answer/call-faults';
import { DEMO_PROVIDER, type DemoProvider } from './demo/demo-provider';
import { Line } from './provider/line';
import { Passage } from './provider/passage';
import { ProviderLog } from './provider/provider-log';
import { viewOf } from './provider/provider-view';
import type { ProviderView } from './provider/provider.dto';
import type { Waiter } from './provider/turnstile';
import type { RetryRules } from './route/attempts';
import type { Candidate } from './route/router';
import type { CallTrace } from './telemetry/call-trace';

const ONCE: RetryRules = { retries: 0, retryMs: 0 };

export interface CountAsked {
  /** With its question mark, or empty. */
  readonly query: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly patienceMs: number;
  readonly trace?: CallTrace | null;
}

export interface CountAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
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
    private readonly log: Log,
  ) {
    this.configure(config.current);
    config.onReload((next) => this.configure(next));
  }

  provider(name: string): ProviderConfig | undefined {
    return this.#lines.get(name)?.provider;
  }

  /** How they fare, by name. */
  get views(): ProviderView[] {
    const nowMs = performance.now();
    return [...this.#lines].map(([name, line]) => viewOf(name, line, nowMs)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get names(): string[] {
    return [...this.#lines.keys()];
  }

  /**
   * The way to a provider for one attempt of a call. The waiter is told when it is its turn, if that is not at once.
   * @throws CodedError `provider_disabled`, `provider_resting`, `provider_busy`
   */
  enter(provider: string, waiter: Waiter): Passage {
    const line = this.#lines.get(provider);
    if (!line) throw new CodedError('provider_disabled');
    return new Passage(line, waiter);
  }

  /** The first of the candidates whose provider can be asked now; if there is none, the one that can be soonest. */
  firstToAsk(candidates: readonly Pick<Candidate, 'provider'>[]): number {
    if (candidates.length === 1) return 0;
    const waits = candidates.map(({ provider }) => this.waitMs(provider, performance.now()));
    return waits.indexOf(Math.min(...waits));
  }

  /** How calls of its models are tried that no route has rules for. */
  rulesOf(provider: string): RetryRules {
    return this.#lines.get(provider)?.provider ?? ONCE;
  }

  /** How long until a provider may be asked, 0 for now; monotonic ms. */
  waitMs(provider: string, nowMs: number): number {
    return this.#lines.get(provider)?.breaker.waitMs(nowMs) ?? Infinity;
  }

  /**
   * Asks an Anthropic provider how many tokens a prompt has. That is free, so it is the one thing asked without a hold.
   * A provider that rests is not asked; what becomes of this tells nothing of its models.
   * @throws CodedError `provider_disabled`, `provider_resting`; Error if there is no answer in time
   */
  async countTokens(provider: string, { query, headers, body, patienceMs, trace }: CountAsked): Promise<CountAnswer> {
    const line = this.#lines.get(provider);
    if (!line) throw new CodedError('provider_disabled');
    const nowMs = performance.now();
    const waitMs = line.breaker.waitMs(nowMs);
    if (waitMs > 0) throw resting(waitMs);
    const key = line.keys.pick(nowMs);
    key?.addTo(headers);
    const path = `/v1/messages/count_tokens${query}`;
    trace?.sent(line, { headers, path, model: '', body });
    const answer = await line.pool.request({
      path: line.pathOf(path, ''),
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(patienceMs),
    });
    const told = Buffer.from(await answer.body.arrayBuffer());
    if (!key) return { status: answer.statusCode, headers: answer.headers, body: told };
    return { status: answer.statusCode, headers: key.withoutIt(answer.headers), body: key.maskIn(told) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lines.values()].map(({ pool }) => pool.destroy()));
    await this.demo.stop();
  }

  private configure(config: GatewayConfig): void {
    const next = new Map<string, Line>();
    for (const [name, provider] of [...Object.entries(config.providers), [DEMO_PROVIDER, this.demo.config] as const]) {
      const old = this.#lines.get(name);
      next.set(name, old?.follow(provider, config) ? old : Line.to(provider, config, new ProviderLog(name, this.log)));
    }
    for (const [name, line] of this.#lines) if (next.get(name) !== line) void line.pool.close();
    this.#lines = next;
  }
}
