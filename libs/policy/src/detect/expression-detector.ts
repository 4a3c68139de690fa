import type { Detector, Match } from './detector';
import { PatternSyntax } from './pattern-syntax';

export interface Expression {
  readonly label: string;
  /** A JavaScript expression that can match nothing without end, and that no text makes slow. */
  readonly source: string;
  readonly flags?: 'i' | 'iu' | 'u';
  /** Texts without any of these hold no match; looking for them is cheaper. Left out: the expression is fast enough by itself. */
  readonly hints?: readonly string[] | RegExp;
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
  readonly #hint: RegExp | null;
  readonly #accept: ((found: string) => number) | null;

  constructor({ label, source, flags = '' as 'i', hints, accept }: Expression) {
    const syntax = new PatternSyntax(source, true);
    this.label = label;
    this.longest = syntax.longest * (flags.includes('u') ? 2 : 1);
    if (!Number.isFinite(this.longest)) throw new TypeError(`${label}: nothing bounds what it finds`);
    this.#expression = new RegExp(source, `g${flags}`);
    this.#open = new RegExp(syntax.openAtEnd('$'), `g${flags}`);
    this.#hints = hints instanceof RegExp ? null : (hints ?? null);
    this.#hint = hints instanceof RegExp ? new RegExp(hints, 'g') : null;
    this.#accept = accept ?? null;
  }

  next(text: string, from: number): Match | null {
    if (!this.mayHold(text, from)) return null;
    const expression = this.#expression;
    expression.lastIndex = from;
    for (let found = expression.exec(text); found; found = expression.exec(text)) {
      const start = found.index;
      const length = this.#accept === null ? found[0].length : this.#accept(found[0]);
      if (length > 0) return { start, end: start + length };
      expression.lastIndex = start + 1;
    }
    return null;
  }

  private mayHold(text: string, from: number): boolean {
    if (this.#hints) return this.#hints.some((hint) => text.includes(hint, from));
    if (!this.#hint) return true;
    this.#hint.lastIndex = from;
    return this.#hint.test(text);
  }

  open(text: string, from: number): number {
    this.#open.lastIndex = Math.max(from, text.length - this.longest);
    return this.#open.exec(text)?.index ?? text.length;
  }
}
