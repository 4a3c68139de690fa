import type { Detector, Match } from './detector';
import { PatternSyntax } from './pattern-syntax';

export interface Expression {
  readonly label: string;
  /** A JavaScript expression that can match nothing without end, and that no text makes slow. */
  readonly source: string;
  /**
   * What stands before what `source` finds, and is found with it. It is looked for backwards from there: where many may begin in one
   * row of letters, each would be looked at to the end of the row.
   */
  readonly head?: string;
  readonly flags?: 'i' | 'iu' | 'u';
  /** Texts without any of these hold no match; looking for them is cheaper. */
  readonly hints?: readonly string[];
  /** How every match begins, without what stands before it, which is slow to look at everywhere. */
  readonly beginning?: RegExp;
  /** How much of what the expression found is really one, in UTF-16 units from its start; 0 for nothing. */
  readonly accept?: (found: string) => number;
}

/** Finds what a JavaScript expression of ours describes, and what a checksum confirms. */
export class ExpressionDetector implements Detector {
  readonly label: string;
  readonly longest: number;
  readonly #expression: RegExp;
  readonly #hasHead: boolean;
  readonly #open: RegExp;
  readonly #hints: readonly string[] | null;
  readonly #beginning: RegExp | null;
  readonly #accept: ((found: string) => number) | null;

  constructor({ label, source, head, flags = '' as 'i', hints, beginning, accept }: Expression) {
    const syntax = new PatternSyntax(`${head ?? ''}${source}`, true);
    this.label = label;
    this.longest = syntax.longest * (flags.includes('u') ? 2 : 1);
    if (!Number.isFinite(this.longest)) throw new TypeError(`${label}: nothing bounds what it finds`);
    this.#hasHead = head !== undefined;
    this.#expression = new RegExp(
      head === undefined ? source : `(?=(${source}))(?<=(${head}))`,
      `${beginning ? 'y' : 'g'}${flags}`,
    );
    this.#open = new RegExp(syntax.openAtEnd('$'), `g${flags}`);
    this.#hints = hints ?? null;
    this.#beginning = beginning ? new RegExp(beginning, 'g') : null;
    this.#accept = accept ?? null;
  }

  mayFind(text: string, from: number): boolean {
    return this.#hints === null || this.#hints.some((hint) => text.includes(hint, from));
  }

  next(text: string, from: number): Match | null {
    for (let at = this.candidate(text, from); at >= 0; at = this.candidate(text, at + 1)) {
      this.#expression.lastIndex = at;
      const found = this.#expression.exec(text);
      if (!found && !this.#beginning) return null;
      if (!found) continue;
      at = found.index;
      const [all, rest = all, head = ''] = this.#hasHead ? found : [found[0]];
      const start = at - head.length;
      const length = this.#accept === null ? head.length + rest.length : this.#accept(head + rest);
      if (length > 0 && start >= from) return { start, end: start + length };
    }
    return null;
  }

  /** Where a match may begin, or is to be looked for from; -1 for nowhere. */
  private candidate(text: string, from: number): number {
    const beginning = this.#beginning;
    if (!beginning) return from;
    beginning.lastIndex = from;
    return beginning.exec(text)?.index ?? -1;
  }

  open(text: string, from: number): number {
    this.#open.lastIndex = Math.max(from, text.length - this.longest);
    return this.#open.exec(text)?.index ?? text.length;
  }
}
