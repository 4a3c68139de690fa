import { CONTEXT } from '../detect/detector';
import type { Findings } from './findings';
import type { Scanner } from './scanner';

/** Takes what a {@link TextStream} has decided on, in order. */
export interface TextSink {
  /** So many units of what was pushed stay as they are. */
  keep(units: number): void;
  /** So many are replaced. */
  mask(units: number, label: string): void;
}

/**
 * Searches a text that arrives in pieces, cut anywhere, and decides the same as {@link Scanner.mask} does of the whole: only what
 * could still become a match waits for what follows. When something is found for which the text is refused, nothing of it and
 * behind it is decided any more.
 */
export class TextStream {
  /** What waits, behind a few units that were decided: whether a match starts depends on what is before it. */
  #text = '';
  #from = 0;
  #isRefused = false;

  constructor(
    private readonly scanner: Scanner,
    private readonly findings: Findings,
    private readonly sink: TextSink,
  ) {}

  push(text: string): void {
    this.#text += text;
    // Half a character may yet become another one.
    const isHalf = /[\uD800-\uDBFF]$/.test(this.#text);
    this.decide(isHalf ? this.#text.slice(0, -1) : this.#text, false);
  }

  /** The text is over; what comes next is another one. */
  end(): void {
    this.decide(this.#text, true);
    this.#text = '';
    this.#from = 0;
  }

  private decide(text: string, isWhole: boolean): void {
    if (this.#isRefused) return;
    const settled = isWhole ? text.length : this.scanner.openToRefuse(text, this.#from);
    const refused = this.scanner.refused(text, this.#from);
    if (refused && refused.start < settled) {
      this.findings.add(refused.rule, 'refuse');
      this.#isRefused = true;
      return;
    }
    let at = this.#from;
    let open = isWhole ? text.length : this.scanner.openToMask(text, at);
    let decided = settled;
    for (const { rule, label, start, end } of this.scanner.maskable(text, at)) {
      if (start >= open) break;
      if (end > settled) {
        decided = Math.min(settled, start);
        break;
      }
      this.keep(start - at);
      this.findings.add(rule, 'mask');
      this.sink.mask(end - start, label);
      at = end;
      if (open < end) open = this.scanner.openToMask(text, end);
    }
    decided = Math.max(at, Math.min(decided, open));
    this.keep(decided - at);
    const cut = Math.max(0, decided - CONTEXT);
    this.#text = this.#text.slice(cut);
    this.#from = decided - cut;
  }

  private keep(units: number): void {
    if (units > 0) this.sink.keep(units);
  }
}
