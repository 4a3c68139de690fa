import { CodedError, FirstInstances } from '@app/platform';
import { TokenDirectory, type EndReason, type KnownToken, type TokenUser } from '@app/tenancy';
import { Injectable } from '@nestjs/common';
import { Registry } from 'prom-client';
import { CallMetrics, type CallSummary } from './call-metrics';

/** A call that can be ended from outside. */
export interface Cuttable {
  readonly tokenId: string;
  /** What became of it, once it is over. */
  readonly summary: CallSummary;
  cut(error: CodedError): void;
}

/** The calls in flight: by token, so that a revoked one's streams end, and in all, so that a shutdown waits for them. */
@Injectable()
export class ActiveCalls implements TokenUser {
  readonly #byToken = new Map<string, Set<Cuttable>>();
  readonly #firsts = new FirstInstances();
  #count = 0;
  #draining = false;
  #idle: (() => void) | null = null;
  readonly #metrics: CallMetrics;

  constructor(
    private readonly tokens: TokenDirectory,
    registry: Registry,
  ) {
    this.#metrics = new CallMetrics(registry, () => this.#count);
    tokens.onEnded(this);
  }

  get count(): number {
    return this.#count;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * @throws CodedError `draining` once the shutdown has begun, `credentials_invalid` if the token ended since the guard
   * let the request in: while its body was uploaded, say
   */
  add(call: Cuttable): void {
    if (this.#draining)
      throw new CodedError('draining', undefined, { headers: { 'retry-after': '1', connection: 'close' } });
    if (this.tokens.hasEnded(call.tokenId)) throw new CodedError('credentials_invalid');
    const calls = this.#byToken.get(call.tokenId);
    if (calls) calls.add(call);
    else this.#byToken.set(call.tokenId, new Set([call]));
    this.#count++;
    this.#firsts.keep(call);
  }

  remove(call: Cuttable): void {
    const calls = this.#byToken.get(call.tokenId);
    if (!calls?.delete(call)) return;
    if (calls.size === 0) this.#byToken.delete(call.tokenId);
    this.#metrics.ended(call.summary);
    if (--this.#count === 0) this.#idle?.();
  }

  uses(tokenId: string): boolean {
    return this.#byToken.has(tokenId);
  }

  /** Ends every call of a token that is no longer valid. */
  ended({ tokenId }: KnownToken, reason: EndReason): void {
    const code = reason === 'tenant_suspended' ? 'tenant_suspended' : 'credentials_invalid';
    const error = new CodedError(code, 'The key of this call stopped being valid while it ran.');
    for (const call of this.#byToken.get(tokenId) ?? []) call.cut(error);
  }

  /** Takes no new calls and waits for those in flight; what is still open after `graceMs` is cut. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    if (this.#count === 0) return;
    const idle = new Promise<void>((resolve) => (this.#idle = resolve));
    const timer = setTimeout(() => this.cutAll(), graceMs);
    await idle;
    clearTimeout(timer);
  }

  cutAll(): void {
    const error = new CodedError('draining', 'This gateway process is shutting down and the answer took too long.');
    for (const calls of this.#byToken.values()) for (const call of calls) call.cut(error);
  }
}
