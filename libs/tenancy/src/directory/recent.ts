/**
 * A map that keeps about `capacity` entries, those used last. Two generations instead of a list of uses: a hit in the young
 * one, which is nearly every hit, costs one look-up.
 */
export class Recent<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #turnAt: number;

  /** @param needed entries that must stay, however long they have not been asked for */
  constructor(
    private readonly capacity: number,
    private readonly needed: (value: V) => boolean = () => false,
  ) {
    this.#turnAt = capacity / 2;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    this.#old.delete(key);
    this.#young.set(key, value);
    if (this.#young.size > this.#turnAt) this.turn();
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  *values(): Generator<V> {
    yield* this.#young.values();
    yield* this.#old.values();
  }

  private turn(): void {
    const next = new Map<string, V>();
    for (const [key, value] of this.#old) if (this.needed(value)) next.set(key, value);
    this.#old = this.#young;
    this.#young = next;
    // With many needed entries the generations grow, or each new entry would turn them again.
    this.#turnAt = Math.max(this.capacity / 2, next.size * 2);
  }
}
