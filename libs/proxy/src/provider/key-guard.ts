const NOTHING = Buffer.alloc(0);
const LF = 0x0a;

/**
 * Keeps a provider's key out of a stream that is passed on as it comes. What might be the beginning of the key waits for what
 * follows; that is seldom more than a byte, since chunks end as lines do.
 */
export class KeyGuard {
  readonly #first: number;
  #held: Buffer = NOTHING;

  constructor(private readonly key: Buffer) {
    this.#first = key[0] as number;
  }

  /** What may be passed on by now; null if the key is in it. */
  pass(chunk: Buffer): Buffer | null {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (bytes.includes(this.key)) return null;
    const from = this.beginning(bytes);
    this.#held = from === bytes.length ? NOTHING : bytes.subarray(from);
    return from === bytes.length ? bytes : bytes.subarray(0, from);
  }

  /** The last bytes, with what still waited; nothing if the key is in them. */
  last(bytes: Buffer): Buffer {
    const passed = this.pass(bytes);
    return passed === null ? NOTHING : Buffer.concat([passed, this.#held]);
  }

  /** Where the key may begin at the end of some bytes; their length where it does not. */
  private beginning(bytes: Buffer): number {
    const { length } = bytes;
    // No key goes over a line's end, and nearly all chunks end with one.
    if (bytes[length - 1] === LF) return length;
    for (let at = Math.max(0, length - this.key.length + 1); at < length; at++)
      if (bytes[at] === this.#first && this.key.compare(bytes, at, length, 0, length - at) === 0) return at;
    return length;
  }
}
