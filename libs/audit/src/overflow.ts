import type { RefusedAttempt } from './refused-attempt';

/** So many callers are told apart; a flood from more is counted under `others`. */
const MAX_CALLERS = 50;
const OTHERS = 'others';

/** Counts refused calls that get no record of their own. Its size does not grow with their number. */
export class Overflow {
  #count = 0;
  #since: Date | null = null;
  #until: Date | null = null;
  readonly #codes = new Map<string, number>();
  readonly #callers = new Map<string, number>();

  get count(): number {
    return this.#count;
  }

  add({ principal, ip, code }: Pick<RefusedAttempt, 'principal' | 'ip' | 'code'>, now: Date): void {
    const caller = `${principal ? `${principal.kind} ${principal.id}` : 'anonymous'} from ${ip ?? 'unknown'}`;
    this.#count++;
    this.#since ??= now;
    this.#until = now;
    raise(this.#codes, code, 1);
    raise(this.#callers, this.known(caller), 1);
  }

  /** Adds the counts of a later one. */
  merge(later: Overflow): this {
    this.#count += later.#count;
    this.#since ??= later.#since;
    this.#until = later.#until ?? this.#until;
    for (const [code, n] of later.#codes) raise(this.#codes, code, n);
    for (const [caller, n] of later.#callers) raise(this.#callers, this.known(caller), n);
    return this;
  }

  view(): Record<string, unknown> {
    return {
      count: this.#count,
      since: this.#since,
      until: this.#until,
      codes: Object.fromEntries(this.#codes),
      callers: Object.fromEntries(this.#callers),
    };
  }

  private known(caller: string): string {
    return this.#callers.has(caller) || this.#callers.size < MAX_CALLERS ? caller : OTHERS;
  }
}

const raise = (counts: Map<string, number>, name: string, by: number): void => {
  counts.set(name, (counts.get(name) ?? 0) + by);
};
