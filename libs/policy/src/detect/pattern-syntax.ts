/**
 * A regular expression taken apart just far enough to say how long a match can be, and what its beginnings look like.
 * Reads the syntax that RE2 and JavaScript have in common; `looksAround` allows what only JavaScript has.
 */
export class PatternSyntax {
  readonly #root: Choice;

  /** @throws PatternError naming what is not allowed and where */
  constructor(source: string, looksAround = false) {
    this.#root = new Parser(source, looksAround).whole();
  }

  /** The longest match in characters; `Infinity` where nothing bounds it. */
  get longest(): number {
    return longestChoice(this.#root);
  }

  /** The shortest match in characters. */
  get shortest(): number {
    return shortestChoice(this.#root);
  }

  /**
   * An expression that finds what stands at the end of a text and would become a match if the right text followed: each
   * character may also be the end. What must not follow must not follow there either; what must is left out, so that it finds
   * rather too much.
   * @param end how the engine writes the end of the text
   */
  openAtEnd(end: '$' | '\\z'): string {
    return `(?:${openChoice(this.#root, end)})${end}`;
  }
}

/** Why a pattern is not taken; the message is for whoever wrote it. */
export class PatternError extends Error {}

type Choice = readonly (readonly Item[])[];

type Atom =
  | { readonly kind: 'character' | 'behind' | 'ahead'; readonly text: string }
  | { readonly kind: 'group'; readonly choice: Choice };

interface Item {
  readonly atom: Atom;
  readonly least: number;
  readonly most: number;
  /** As it is written. */
  readonly times: string;
}

const longestChoice = (choice: Choice): number => Math.max(...choice.map(sumOf('most', longestChoice)));
const shortestChoice = (choice: Choice): number => Math.min(...choice.map(sumOf('least', shortestChoice)));

const sumOf =
  (times: 'least' | 'most', inner: (choice: Choice) => number) =>
  (items: readonly Item[]): number =>
    items.reduce((sum, item) => {
      const { atom } = item;
      const each = atom.kind === 'group' ? inner(atom.choice) : atom.kind === 'character' ? 1 : 0;
      return sum + (each === 0 ? 0 : each * item[times]);
    }, 0);

const openChoice = (choice: Choice, end: string): string =>
  choice.map((items) => items.map((item) => openItem(item, end)).join('')).join('|');

function openItem({ atom, times }: Item, end: string): string {
  switch (atom.kind) {
    case 'ahead':
      return atom.text.startsWith('(?!') ? atom.text : '';
    case 'group':
      return `(?:${openChoice(atom.choice, end)})${times}`;
    default:
      return `(?:${atom.text}|${end})${times}`;
  }
}

const QUANTIFIER = /^(?:[*+?]|\{(\d{1,5})(,(\d{0,5}))?\})\??/;
const BEHIND = /^\(\?<[=!]/;
const AHEAD = /^\(\?[=!]/;
const ESCAPE = /^\\(?:[dDwWsSnrtfv]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[pP](?:\{\^?\w+\}|[A-Z])|[^A-Za-z0-9])/u;
const BOUNDARY = /^\\[bB]/;
const ONE_OF = /^\[\^?\]?(?:\[:\^?\w+:\]|\\[pP]\{\^?\w+\}|\\x\{[0-9A-Fa-f]+\}|\\[^]|[^\]\\])*\]/u;
const ONE = /^[^\\[\](){}*+?|^$]/u;

const MAX_DEPTH = 20;

class Parser {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly source: string,
    private readonly looksAround: boolean,
  ) {}

  whole(): Choice {
    const choice = this.choice();
    if (this.at < this.source.length) throw this.error('a ) without its (');
    return choice;
  }

  private choice(): Choice {
    if (++this.depth > MAX_DEPTH) throw this.error('groups are nested too deeply');
    const all = [this.items()];
    while (this.taken(/^\|/)) all.push(this.items());
    this.depth -= 1;
    return all;
  }

  private items(): Item[] {
    const items: Item[] = [];
    while (this.at < this.source.length && !/[|)]/.test(this.source[this.at] as string)) items.push(this.item());
    return items;
  }

  private item(): Item {
    const atom = this.atom();
    const found = QUANTIFIER.exec(this.source.slice(this.at));
    if (!found) return { atom, least: 1, most: 1, times: '' };
    const [times, counted, ranged, upper] = found;
    this.at += times.length;
    const least = counted !== undefined ? Number(counted) : times.startsWith('+') ? 1 : 0;
    const bounded = counted === undefined ? (times.startsWith('?') ? 1 : Infinity) : least;
    const most = ranged === undefined ? bounded : upper === '' ? Infinity : Number(upper);
    if (most < least) throw this.error('{n,m} with m below n');
    return { atom, least, most, times };
  }

  private atom(): Atom {
    if (this.looksAround && this.sees(BEHIND)) return { kind: 'behind', text: this.textOfGroup() };
    if (this.looksAround && this.sees(AHEAD)) return { kind: 'ahead', text: this.textOfGroup() };
    if (this.taken(/^\((?:\?:)?(?!\?)/) !== null) {
      const choice = this.choice();
      if (this.taken(/^\)/) === null) throw this.error('a ( without its )');
      return { kind: 'group', choice };
    }
    const edge = this.taken(BOUNDARY);
    if (edge !== null) return { kind: 'behind', text: edge };
    const text = this.taken(ONE_OF) ?? this.taken(ESCAPE) ?? this.taken(ONE);
    if (text !== null) return { kind: 'character', text };
    if (/[\^$]/.test(this.source[this.at] as string))
      throw this.error('^ and $ have no place: a pattern is looked for anywhere in a text');
    if (this.sees(/^\(\?/))
      throw this.error('a group other than ( ) and (?: ): nothing can be looked ahead or back to');
    throw this.error('something that is not allowed here');
  }

  private textOfGroup(): string {
    const from = this.at;
    if (this.taken(BEHIND) === null) this.taken(AHEAD);
    this.choice();
    if (this.taken(/^\)/) === null) throw this.error('a ( without its )');
    return this.source.slice(from, this.at);
  }

  private sees(shape: RegExp): boolean {
    return shape.test(this.source.slice(this.at));
  }

  private taken(shape: RegExp): string | null {
    const found = shape.exec(this.source.slice(this.at));
    if (!found) return null;
    this.at += found[0].length;
    return found[0];
  }

  private error(what: string): PatternError {
    return new PatternError(`has ${what} (at character ${this.at + 1})`);
  }
}
