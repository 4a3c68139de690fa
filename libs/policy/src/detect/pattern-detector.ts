import { RE2JS } from 're2js';
import type { Detector, Match } from './detector';
import { PatternError, PatternSyntax } from './pattern-syntax';

/** The longest match a pattern may have, in characters. What might become one is held back of a stream. */
export const LONGEST_MATCH = 1_024;

const IGNORES_CASE = /^\(\?i\)/;

/**
 * Finds what an administrator's pattern describes, in time that grows with the text alone: RE2 knows no pattern that hangs
 * (https://github.com/google/re2/wiki/WhyRE2).
 */
export class PatternDetector implements Detector {
  readonly longest: number;
  readonly #pattern: RE2JS;
  readonly #open: RE2JS;

  /** @throws PatternError */
  constructor(
    readonly label: string,
    pattern: string,
  ) {
    const source = pattern.replace(IGNORES_CASE, '');
    const flags = source === pattern ? 0 : RE2JS.CASE_INSENSITIVE;
    const syntax = new PatternSyntax(source);
    if (syntax.longest === Infinity)
      throw new PatternError('can match without end; write {1,64} or the like in place of * and +');
    if (syntax.longest > LONGEST_MATCH) throw new PatternError(`can match more than ${LONGEST_MATCH} characters`);
    if (syntax.shortest === 0) throw new PatternError('matches where nothing stands');
    this.longest = 2 * syntax.longest;
    this.#pattern = compiled(source, flags);
    this.#open = compiled(syntax.openAtEnd('\\z'), flags);
  }

  /** Whether there is one at all is found much faster than where. */
  mayFind(text: string): boolean {
    return this.#pattern.test(text);
  }

  next(text: string, from: number): Match | null {
    const matcher = this.#pattern.matcher(text);
    return matcher.find(from) ? { start: matcher.start(), end: matcher.end() } : null;
  }

  open(text: string, from: number): number {
    const matcher = this.#open.matcher(text);
    return matcher.find(Math.max(from, text.length - this.longest)) ? matcher.start() : text.length;
  }
}

/** Whether a whole value is what a pattern describes. @throws PatternError */
export function valueTest(pattern: string): (value: string) => boolean {
  const expression = compiled(pattern, 0);
  return (value) => expression.matches(value);
}

function compiled(source: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(source, flags);
  } catch (error) {
    throw new PatternError(`is not a pattern: ${(error as Error).message.replace(/^error parsing regexp: /, '')}`);
  }
}
