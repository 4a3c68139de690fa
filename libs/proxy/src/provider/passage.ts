import { maskKeys, type CodedError } from '@app/platform';
import type { Hold } from '@app/quota';
import type { Dispatcher } from 'undici';
import { busy, resting } from '../answer/call-faults';
import { isProvidersFault, mayBeSentAgain, refusesKey, retryAfterMs } from '../route/failure';
import type { Credential } from './credential';
import type { Line } from './line';
import type { Turnstile, Waiter } from './turnstile';

const MOST_CHARACTERS = 200;

export interface UpstreamRequest {
  /** Path and query as the client sent them. */
  readonly path: string;
  /** As the provider calls it. */
  readonly model: string;
  /** Without the provider's key, which is added here. */
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** One call's way to a provider, from waiting for its turn to the end of the answer. */
export class Passage {
  /** Which it has to leave; null while it waits, and where there is none. */
  #turnstile: Turnstile | null = null;
  /** While it is not, it waits for its turn; the waiter is told, and says so here. */
  isInside = true;
  #key: Credential | null = null;
  /** Whether the breaker has yet to be told what became of the call. */
  #isOwed = false;

  /** @throws CodedError `provider_resting`, `provider_busy` */
  constructor(
    readonly line: Line,
    private readonly waiter: Waiter,
  ) {
    if (!line.breaker.closed) this.refuseWhileResting();
    const { turnstile } = line;
    if (turnstile === null) return;
    this.#turnstile = turnstile;
    const entry = turnstile.enter(waiter);
    if (entry === 'turned away') throw busy();
    this.isInside = entry === 'inside';
  }

  /**
   * Sends the request; all that happens next is told to `handler`. @throws CodedError `provider_resting`
   */
  open(hold: Hold, request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void {
    if (hold.closed) throw new TypeError('a provider is opened with an open hold');
    const { line } = this;
    if (!line.breaker.closed && !line.breaker.enter(performance.now())) throw this.resting();
    this.#isOwed = true;
    this.#key = line.keys.size > 1 ? line.keys.pick(performance.now()) : line.keys.only;
    this.#key?.addTo(request.headers);
    const { firstByteMs, idleMs } = line.provider.timeouts;
    line.pool.dispatch(
      {
        path: line.pathOf(request.path, request.model),
        method: 'POST',
        headers: request.headers,
        body: request.body,
        headersTimeout: firstByteMs,
        bodyTimeout: idleMs,
      },
      handler,
    );
  }

  /** The head of the answer is there. */
  answered(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    this.#isOwed = false;
    const { breaker, keys } = this.line;
    if (status < 300) {
      breaker.succeeded();
      return this.line.log.answered(this.#key);
    }
    const nowMs = performance.now();
    if (isProvidersFault(status)) this.failed(`answered with status ${status}`);
    else if (mayBeSentAgain(status)) breaker.abandoned();
    else breaker.succeeded();
    if ((status === 429 || refusesKey(status)) && keys.size > 1)
      keys.setAside(this.#key, status, retryAfterMs(headers, new Date()), nowMs);
    if (refusesKey(status)) {
      const place = keys.placeOf(this.#key);
      this.line.lastFault = `refused key ${place} with status ${status}`;
      this.line.log.refused(this.#key, place, status);
    }
  }

  /** The provider could not be reached, or broke off, or did not answer. */
  broke(error: Error): void {
    this.#isOwed = false;
    this.failed(maskKeys(error.message).slice(0, MOST_CHARACTERS));
  }

  /** What the call was sent with; null for nothing. */
  get key(): Credential | null {
    return this.#key;
  }

  /** Whether the provider can be asked at once with another key. */
  get hasSpareKey(): boolean {
    const { keys } = this.line;
    return keys.size > 1 && keys.hasSpare(performance.now());
  }

  /** Another attempt takes the place of this one. */
  retried(): void {
    this.line.retried++;
  }

  /** The call does not wait any longer; false if it did not. */
  forget(): boolean {
    if (this.isInside || this.#turnstile === null) return false;
    return this.#turnstile.forget(this.waiter);
  }

  /** The attempt is over. Does nothing a second time. */
  leave(): void {
    if (this.#isOwed) this.line.breaker.abandoned();
    this.#isOwed = false;
    const turnstile = this.#turnstile;
    this.#turnstile = null;
    if (turnstile !== null && this.isInside) turnstile.leave();
  }

  private failed(because: string): void {
    const { breaker, log } = this.line;
    this.line.lastFault = because;
    breaker.failed(performance.now());
    if (!breaker.closed) log.rests(because, breaker.rules.openMs);
  }

  private refuseWhileResting(): void {
    if (this.line.breaker.waitMs(performance.now()) > 0) throw this.resting();
  }

  private resting(): CodedError {
    return resting(this.line.breaker.waitMs(performance.now()));
  }
}
