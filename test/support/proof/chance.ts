/** Numbers that look random and are the same again for the same seed (mulberry32). */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** At least 0, less than 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** True in that share of cases. */
  happens(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(from: readonly [T, ...T[]] | readonly T[]): T {
    if (from.length === 0) throw new RangeError('there is nothing to pick from');
    return from[Math.floor(this.next() * from.length)] as T;
  }

  /** Another source, whose numbers depend on this one's seed and that name alone. */
  fork(name: number): Chance {
    return new Chance(Math.imul(this.state ^ 0x9e3779b9, name * 2 + 1));
  }
}
