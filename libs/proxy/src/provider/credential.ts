import type { Secret } from '@app/platform';

/** A provider's key as it is sent. Not readable from outside, so that nothing can print it by accident. */
export class Credential {
  readonly #key: string;
  readonly #header: string;
  readonly #value: string;

  constructor(key: Secret, header: 'x-api-key' | 'api-key' | 'authorization') {
    this.#key = key.reveal();
    this.#header = header;
    this.#value = header === 'authorization' ? `Bearer ${this.#key}` : this.#key;
  }

  addTo(headers: Record<string, string>): void {
    headers[this.#header] = this.#value;
  }

  get bytes(): Buffer {
    return Buffer.from(this.#key, 'latin1');
  }
}
