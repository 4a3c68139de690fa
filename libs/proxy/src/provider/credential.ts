import type { Secret } from '@app/platform';
import { KeyGuard } from './key-guard';

const MASK = Buffer.from('[secret]');

/** Shorter ones are no secrets, and would be found in any text. */
const SHORTEST_BYTES = 8;

/** A provider's key as it is sent. Not readable from outside, so that nothing can print it by accident. */
export class Credential {
  readonly #header: string;
  readonly #value: string;
  readonly #key: string;
  readonly #bytes: Buffer;
  readonly #isSecret: boolean;

  constructor(key: Secret, header: 'x-api-key' | 'x-goog-api-key' | 'api-key' | 'authorization') {
    this.#key = key.reveal();
    this.#bytes = Buffer.from(this.#key, 'utf8');
    this.#isSecret = this.#bytes.length >= SHORTEST_BYTES;
    this.#header = header;
    this.#value = header === 'authorization' ? `Bearer ${this.#key}` : this.#key;
  }

  addTo(headers: Record<string, string>): void {
    headers[this.#header] = this.#value;
  }

  /** What a provider that repeats its key to us said, without it. */
  maskIn(body: Buffer): Buffer {
    if (!this.#isSecret || !body.includes(this.#bytes)) return body;
    const parts: Buffer[] = [];
    let from = 0;
    for (let at = body.indexOf(this.#bytes); at >= 0; at = body.indexOf(this.#bytes, from)) {
      parts.push(body.subarray(from, at), MASK);
      from = at + this.#bytes.length;
    }
    return Buffer.concat([...parts, body.subarray(from)]);
  }

  /** Whether a text repeats it. */
  isIn(text: string): boolean {
    return this.#isSecret && text.includes(this.#key);
  }

  /** Headers, without those that repeat it. */
  withoutIt<Value extends string | string[] | undefined>(headers: Record<string, Value>): Record<string, Value> {
    return Object.fromEntries(Object.entries(headers).filter(([, value]) => !this.isIn(String(value))));
  }

  /** Keeps it out of a stream; null where there is nothing to keep. */
  guard(): KeyGuard | null {
    return this.#isSecret ? new KeyGuard(this.#bytes) : null;
  }
}
