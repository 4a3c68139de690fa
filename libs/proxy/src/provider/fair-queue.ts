/** Those who wait, of several tenants: served in turns of tenants, and of one tenant in the order they came. */
export class FairQueue<Waiter> {
  /** In the order of their turns: the tenant served last is the last. */
  readonly #tenants = new Map<string, Waiter[]>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(tenantId: string, waiter: Waiter): void {
    const waiting = this.#tenants.get(tenantId);
    if (waiting) waiting.push(waiter);
    else this.#tenants.set(tenantId, [waiter]);
    this.#length++;
  }

  /** Takes out whose turn it is. */
  shift(): Waiter | undefined {
    for (const [tenantId, waiting] of this.#tenants) {
      const waiter = waiting.shift() as Waiter;
      this.#tenants.delete(tenantId);
      if (waiting.length > 0) this.#tenants.set(tenantId, waiting);
      this.#length--;
      return waiter;
    }
    return undefined;
  }

  /** Takes out the last of the tenant that has most waiting, for one that would have fewer all the same; undefined if there is none. */
  makeRoom(tenantId: string): Waiter | undefined {
    let most: Waiter[] = [];
    for (const waiting of this.#tenants.values()) if (waiting.length > most.length) most = waiting;
    if (most.length <= (this.#tenants.get(tenantId)?.length ?? 0) + 1) return undefined;
    this.#length--;
    return most.pop();
  }

  /** Takes out one that does not wait any longer; false if it does not wait here. */
  remove(tenantId: string, waiter: Waiter): boolean {
    const waiting = this.#tenants.get(tenantId);
    const at = waiting?.indexOf(waiter) ?? -1;
    if (!waiting || at < 0) return false;
    waiting.splice(at, 1);
    if (waiting.length === 0) this.#tenants.delete(tenantId);
    this.#length--;
    return true;
  }
}
