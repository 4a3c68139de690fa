import type { Log } from '@app/platform';
import type { Credential } from './credential';

/**
 * Tells the log when a provider begins to fail or to refuse a key, and when that is over. Once each: what becomes of every call is
 * told elsewhere, and where a route or another key stands in, by nothing else.
 */
export class ProviderLog {
  #rests = false;
  readonly #refused = new Set<Credential | null>();

  constructor(
    private readonly provider: string,
    private readonly log: Log,
  ) {}

  /** It failed so often that nobody asks it for a while; or did again when one call tried. */
  rests(because: string, restMs: number): void {
    if (this.#rests) return;
    this.#rests = true;
    const { provider } = this;
    this.log.warn(
      { provider, because, restMs },
      'a provider failed several times in a row and is not asked for a while',
    );
  }

  /** @param key which of the keys it did not take, as in "2 of 3"; never the key itself */
  refused(credential: Credential | null, key: string, status: number): void {
    if (this.#refused.has(credential)) return;
    this.#refused.add(credential);
    this.log.error({ provider: this.provider, key, status }, 'a provider refused a key of the configuration');
  }

  /** It answered a call as it should. */
  answered(credential: Credential | null): void {
    if (!this.#rests && this.#refused.size === 0) return;
    const { provider } = this;
    if (this.#rests) this.log.info({ provider }, 'a provider answers again');
    this.#rests = false;
    if (this.#refused.delete(credential))
      this.log.info({ provider }, 'a provider takes a key again that it had refused');
  }

  /** There are other keys. */
  forgetKeys(): void {
    this.#refused.clear();
  }
}
