import { builtIn } from '../detect/built-in';
import type { Detector, Match } from '../detect/detector';
import { PatternDetector } from '../detect/pattern-detector';
import { wordsDetector } from '../detect/words-detector';
import type { Rule, RuleAction } from '../rule';
import type { Findings } from './findings';

/** One detector of one rule. */
interface Search {
  readonly rule: string;
  readonly detector: Detector;
}

/** What was found, by which rule, and what stands in its place. */
export interface Found extends Match {
  readonly rule: string;
  readonly label: string;
}

/** What stands in the place of what was found. */
export const maskOf = (label: string): string => `[${label} removed]`;

/**
 * All rules of a policy for one direction. A text is refused if a rule that refuses finds anything in it. What rules that mask
 * find is replaced from left to right; where two find something at the same place, the longer one counts, then the earlier rule.
 */
export class Scanner {
  readonly #refusing: readonly Search[];
  readonly #masking: readonly Search[];

  /** @throws PatternError for a pattern that cannot be searched for */
  constructor(rules: readonly Rule[]) {
    const searches = (action: RuleAction): Search[] =>
      rules
        .filter((rule) => rule.action === action)
        .flatMap((rule) => detectorsOf(rule).map((detector) => ({ rule: rule.name, detector })));
    this.#refusing = searches('refuse');
    this.#masking = searches('mask');
  }

  /** The text with masks, or as it is where nothing is found or it is refused. */
  mask(text: string, findings: Findings): string {
    const refused = this.refused(text, 0);
    if (refused) {
      findings.add(refused.rule, 'refuse');
      return text;
    }
    let masked = '';
    let at = 0;
    for (const { rule, label, start, end } of this.maskable(text)) {
      findings.add(rule, 'mask');
      masked += text.slice(at, start) + maskOf(label);
      at = end;
    }
    return at === 0 ? text : masked + text.slice(at);
  }

  /** The first thing at or after `from` for which the text is to be refused. */
  refused(text: string, from: number): Found | null {
    return first(this.#refusing.map((search) => firstFound(search, text, from)));
  }

  /** What is to be masked from `from` on, from left to right. */
  *maskable(text: string, from = 0): Generator<Found> {
    const next = this.#masking.map((search) => firstFound(search, text, from));
    for (let one = first(next); one; one = first(next)) {
      yield one;
      for (let i = 0; i < next.length; i++) {
        const known = next[i];
        if (known && known.start < one.end) next[i] = found(this.#masking[i] as Search, text, one.end);
      }
    }
  }

  /** From where on the end of a text may yet become something to be refused; its length where nothing can. */
  openToRefuse(text: string, from: number): number {
    return leastOpen(this.#refusing, text, from);
  }

  /** The same for something to be masked. */
  openToMask(text: string, from: number): number {
    return leastOpen(this.#masking, text, from);
  }
}

function detectorsOf({ name, detect = [], pattern, words }: Rule): readonly Detector[] {
  if (pattern !== undefined) return [new PatternDetector(name, pattern)];
  if (words !== undefined) return [wordsDetector(name, words)];
  return [...new Set(detect.flatMap(builtIn))];
}

const firstFound = (search: Search, text: string, from: number): Found | null =>
  search.detector.mayFind(text, from) ? found(search, text, from) : null;

function found({ rule, detector }: Search, text: string, from: number): Found | null {
  const match = detector.next(text, from);
  return match && { rule, label: detector.label, start: match.start, end: match.end };
}

/** The leftmost; of several there the longest; of several as long the first. */
function first(all: readonly (Found | null)[]): Found | null {
  let best: Found | null = null;
  for (const one of all)
    if (one && (!best || one.start < best.start || (one.start === best.start && one.end > best.end))) best = one;
  return best;
}

function leastOpen(searches: readonly Search[], text: string, from: number): number {
  let least = text.length;
  for (const { detector } of searches) least = Math.min(least, detector.open(text, from));
  return least;
}
