import type { Detector, Match } from './detector';
import { PatternSyntax } from './pattern-syntax';

export interface Expression {
  readonly label: string;
  /** A JavaScript expression that can match nothing without end, and that no text makes slow. */
  readonly source: string;
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
  readonly #open: RegExp;
  readonly #hints: readonly string[] | null;
  readonly #beginning: RegExp | null;
  readonly #accept: ((found: string) => number) | null;

  constructor({ label, source, flags = '' as 'i', hints, beginning, accept }: Expression) {
    const syntax = new PatternSyntax(source, true);
    this.label = label;
    this.longest = syntax.longest * (flags.includes('u') ? 2 : 1);
    if (!Number.isFinite(this.longest)) throw new TypeError(`${label}: nothing bounds what it finds`);
    this.#expression = new RegExp(source, `${beginning ? 'y' : 'g'}${flags}`);
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
      const length = this.#accept === null ? found[0].length : this.#accept(found[0]);
      if (length > 0) return { start: at, end: at + length };
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
