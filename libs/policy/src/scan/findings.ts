import type { RuleAction } from '../rule';

/** What rules found in one request or one answer: how often, never what. */
export class Findings {
  readonly #counts = new Map<string, { readonly action: RuleAction; count: number }>();
  /** The rule that refuses. */
  refusedBy: string | null = null;

  add(rule: string, action: RuleAction): void {
    if (action === 'refuse') this.refusedBy ??= rule;
    const known = this.#counts.get(rule);
    if (known) known.count += 1;
    else this.#counts.set(rule, { action, count: 1 });
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  get all(): readonly Finding[] {
    return [...this.#counts].map(([rule, { action, count }]) => ({ rule, action, count }));
  }

  /** Names of the rules that masked something, for a header. */
  get masked(): string {
    return this.all.flatMap(({ rule, action }) => (action === 'mask' ? [rule] : [])).join(', ');
  }
}

export interface Finding {
  readonly rule: string;
  readonly action: RuleAction;
  readonly count: number;
}
